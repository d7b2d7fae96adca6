"""A server of tools made with the official library, which notes what it has run."""

from __future__ import annotations

import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer

RUN = Path(sys.argv[1])
server = MCPServer("files")


@server.tool()
def read_file(path: str) -> str:
    """Read a file."""
    return f"content of {path}"


@server.tool()
def delete_file(path: str) -> str:
    """Delete a file."""
    with RUN.open("a", encoding="utf-8") as file:
        file.write(f"{path}\n")
    return f"deleted {path}"


@server.tool()
def format_disk() -> str:
    """Never."""
    RUN.write_text("formatted", encoding="utf-8")
    return "formatted"


if __name__ == "__main__":
    server.run("stdio")
