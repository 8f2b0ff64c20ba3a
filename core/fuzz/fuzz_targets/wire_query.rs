//! Any bytes are a form or an error, and any form is an input or an error.
#![no_main]

mod wire;

use libfuzzer_sys::fuzz_target;
use trunkline_wire::codec::form::Form;
use trunkline_wire::codec::query;

fuzz_target!(|data: &[u8]| {
    if let Ok(form) = Form::read(data) {
        let _ = query::read(wire::model(), wire::thing(), &form);
    }
});
