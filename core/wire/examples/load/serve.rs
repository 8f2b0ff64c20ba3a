//! Our server with one queue and no control plane: for profiles without an interpreter.

use std::net::SocketAddr;
use std::sync::Arc;

use trunkline_engine::{Engine, OpenOptions, QUEUE, ResourceName, standard_queue};
use trunkline_wire::auth::Mode;
use trunkline_wire::dispatch::{Call, ControlPlane, Dispatcher};
use trunkline_wire::server::{Options, Server};
use trunkline_wire::{Value, WireError};

use crate::Result;

struct Nothing;

impl ControlPlane for Nothing {
    fn call(&self, _call: &Call, _input: Value) -> std::result::Result<Value, WireError> {
        Err(WireError::internal("There is no control plane here."))
    }

    fn model(&self, _service: &str) -> std::result::Result<Vec<u8>, String> {
        Err("there are no models here".to_owned())
    }

    fn reset(&self, _: bool) {}
}

pub fn serve(port: u16, folder: Option<&str>) -> Result<()> {
    let options = folder.map_or_else(OpenOptions::memory, OpenOptions::at);
    let engine = Engine::open(options)?;
    let name = ResourceName::new(QUEUE, "000000000000", "us-east-1", "bench");
    if engine.find_queue(&name)?.is_none() {
        engine.create_queue(name, standard_queue(), b"")?;
    }
    let front = Dispatcher::new(engine, Arc::new(Nothing), Vec::new(), Mode::Parse);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let _server = Server::start(Arc::new(front), Options::new(address))?;
    loop {
        std::thread::park();
    }
}
