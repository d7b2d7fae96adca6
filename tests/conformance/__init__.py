"""AWS's conformance tests of durable execution SDKs, run against the local cloud's engine."""
