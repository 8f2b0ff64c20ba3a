//! Any bytes are an XML input or an error; what was read can be written.
#![no_main]

mod wire;

use libfuzzer_sys::fuzz_target;
use trunkline_wire::codec::{xml, xml_read};

fuzz_target!(|data: &[u8]| {
    let (model, shape) = (wire::model(), wire::thing());
    if let Ok(value) = xml_read::read(model, shape, data) {
        let mut out = String::from("<Thing>");
        xml::write_members(model, xml::Names::Rest, shape, &value, &mut out);
        out.push_str("</Thing>");
        xml_read::read(model, shape, out.as_bytes()).expect("what was written can be read");
    }
});
