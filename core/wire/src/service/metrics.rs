//! What the services write of their resources at `/metrics`.

use std::fmt::{Result, Write};

use trunkline_engine::ResourceName;

use crate::codec::xml;

/// Writes a line of `metric` for each state of a resource; `kind` is the label of its name.
pub fn write_states(
    out: &mut dyn Write,
    metric: &str,
    kind: &str,
    name: &ResourceName,
    states: &[(&str, u64)],
) -> Result {
    let mut label = String::new();
    xml::escape(&name.name, &mut label);
    let (account, region) = (&name.account, &name.region);
    for (state, count) in states {
        writeln!(
            out,
            "{metric}{{account=\"{account}\",region=\"{region}\",{kind}=\"{label}\",\
             state=\"{state}\"}} {count}"
        )?;
    }
    Ok(())
}
