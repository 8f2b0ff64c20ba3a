//! Levels of durability between their names in Python and the engine.

use pyo3::prelude::*;
use trunkline_types::Durability;

use crate::error::invalid;

/// What "acknowledged" means, by name.
pub(crate) struct Level(pub Durability);

impl<'a, 'py> FromPyObject<'a, 'py> for Level {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let name: String = value.extract()?;
        match name.as_str() {
            "memory" => Ok(Self(Durability::Memory)),
            "os" => Ok(Self(Durability::Os)),
            "disk" => Ok(Self(Durability::Disk)),
            _ => Err(invalid(format!(
                "Value {name:.32} for parameter durability is invalid. Reason: Must be \"disk\", \
                 \"os\" or \"memory\"."
            ))),
        }
    }
}

/// The name of a level.
pub(crate) fn level_name(level: Durability) -> &'static str {
    match level {
        Durability::Memory => "memory",
        Durability::Os => "os",
        Durability::Disk => "disk",
    }
}
