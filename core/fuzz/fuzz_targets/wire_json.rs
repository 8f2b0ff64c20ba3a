//! Any bytes are a JSON input or an error; what was read is written, and read again as the same.
#![no_main]

mod wire;

use libfuzzer_sys::fuzz_target;
use trunkline_wire::codec::json;
use trunkline_wire::validate;

fuzz_target!(|data: &[u8]| {
    let (model, shape) = (wire::model(), wire::thing());
    if let Ok(value) = json::read(model, shape, data) {
        let _ = validate::check(model, shape, &value);
        let mut first = Vec::new();
        json::write(model, shape, &value, &mut first);
        let again = json::read(model, shape, &first).expect("what was written can be read");
        let mut second = Vec::new();
        json::write(model, shape, &again, &mut second);
        assert_eq!(first, second);
    }
});
