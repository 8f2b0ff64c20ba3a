//! Any bytes are messages of an event stream or an error, and a message is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_wire::codec::event::Message;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    while let Ok(Some((message, length))) = Message::read(rest) {
        let mut bytes = Vec::new();
        message.write(&mut bytes).expect("what was read can be written");
        assert_eq!(bytes, rest[..length]);
        rest = &rest[length..];
    }
});
