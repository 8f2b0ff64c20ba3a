//! Destinations: what they are to callers, and what is refused.

use trunkline_engine::{Code, DestinationConfig, ResourceId, fifo_queue, standard_queue};

use super::common::{memory, queue};
use super::endpoint::Endpoint;
use super::*;

#[test]
fn destinations_are_no_queues_of_callers() {
    let engine = memory();
    let id = engine.create_destination("handler", &handled()).unwrap();
    queue(&engine, "orders", standard_queue());
    let names: Vec<_> =
        engine.queues(None, None, "").unwrap().iter().map(|q| q.name().name.clone()).collect();
    assert_eq!(names, ["orders"]);
    assert_eq!(engine.destinations().unwrap(), [("handler".to_owned(), id)]);
    let error = engine.create_destination("handler", &handled()).unwrap_err();
    assert_eq!(error.code(), Code::QueueNameExists);
}

#[test]
fn what_cannot_work_is_refused_when_it_is_configured() {
    let engine = memory();
    let fifo = queue(&engine, "dead.fifo", fifo_queue());
    let with = |dead| DestinationConfig { dead_letter: Some(dead), ..handled() };
    for (config, code, says) in [
        (http("ftp://example.com/"), Code::InvalidParameterValue, "http://"),
        (with(fifo.id()), Code::InvalidParameterValue, "standard queue"),
        (with(ResourceId(999)), Code::ResourceNotFoundException, "does not exist"),
    ] {
        let error = engine.create_destination("x", &config).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
    assert_eq!(engine.destinations().unwrap(), []);
    let id = engine.create_destination("x", &http("http://localhost/")).unwrap();
    let error = engine.outbox().enter_handler(id).err().unwrap();
    assert_eq!(error.code(), Code::UnsupportedOperation);
    let error = engine.outbox().enter_handler(ResourceId(999)).err().unwrap();
    assert_eq!(error.code(), Code::ResourceNotFoundException);
    let error = engine.remove_destination(fifo.id()).unwrap_err();
    assert_eq!(error.code(), Code::ResourceNotFoundException);
}

#[test]
fn a_destination_can_be_changed_while_deliveries_wait() {
    let (engine, down, up) = (memory(), Endpoint::answering(503), Endpoint::answering(200));
    let id = engine.create_destination("hook", &http(&down.url)).unwrap();
    deliver(&engine, id, "a");
    settle(&engine);
    engine.configure_destination(id, &http(&up.url)).unwrap();
    engine.advance(20_000).unwrap();
    assert_eq!((down.seen().len(), up.seen().len()), (1, 1));
}
