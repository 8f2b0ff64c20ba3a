//! Any bytes are a CBOR input or an error; what was read is written, and read again as the same.
#![no_main]

mod wire;

use libfuzzer_sys::fuzz_target;
use trunkline_wire::codec::cbor::{self, TimeUnit};

fuzz_target!(|data: &[u8]| {
    let (model, shape) = (wire::model(), wire::thing());
    for unit in [TimeUnit::Seconds, TimeUnit::Millis] {
        if let Ok(value) = cbor::read(model, shape, unit, data) {
            let mut bytes = Vec::new();
            cbor::write(model, shape, unit, &value, &mut bytes);
            cbor::read(model, shape, unit, &bytes).expect("what was written can be read");
        }
    }
});
