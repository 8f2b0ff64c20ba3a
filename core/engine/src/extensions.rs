//! What a layer above the engine keeps with it: one value of each type, made when it is first asked
//! for. Nothing of it is durable.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use trunkline_types::sync::{Mutex, lock};

/// The values, by their types.
#[derive(Default)]
pub(crate) struct Extensions(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Extensions {
    /// The value of this type.
    pub fn get<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut values = lock(&self.0);
        let kept = values.get(&TypeId::of::<T>()).cloned();
        if let Some(found) = kept.and_then(|value| value.downcast::<T>().ok()) {
            return found;
        }
        let made = Arc::new(T::default());
        values.insert(TypeId::of::<T>(), made.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    #[test]
    fn there_is_one_value_of_each_type() {
        let extensions = Extensions::default();
        extensions.get::<AtomicU32>().store(7, Ordering::Relaxed);
        assert_eq!(extensions.get::<AtomicU32>().load(Ordering::Relaxed), 7);
        assert_eq!(extensions.get::<AtomicU64>().load(Ordering::Relaxed), 0);
    }
}
