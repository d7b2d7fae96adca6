// A page that was opened from a folder may not start a Worker. There, the search runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      const page = inside.document;
      this.listener = (event) => {
        if (event.source !== inside) return;
        const answer = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(answer);
        if (this.onmessage) this.onmessage(answer);
      };
      window.addEventListener("message", this.listener);
      inside.postMessage = (data) => {
        window.dispatchEvent(new MessageEvent("message", { data, source: inside }));
      };
      const load = (name) =>
        new Promise((done) => {
          const script = page.createElement("script");
          script.src = new URL(name, document.baseURI).href;
          script.onload = done;
          page.body.append(script);
        });
      inside.importScripts = (...names) =>
        names.reduce((before, name) => before.then(() => load(name)), Promise.resolve());
      this.ready = load(url);
    }

    postMessage(data) {
      this.ready.then(() => {
        const inside = this.frame.contentWindow;
        if (inside) inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) }));
      });
    }

    terminate() {
      window.removeEventListener("message", this.listener);
      this.frame.remove();
    }
  };
}
