"""The control plane of EventBridge. PutEvents takes the data plane, in Rust."""
