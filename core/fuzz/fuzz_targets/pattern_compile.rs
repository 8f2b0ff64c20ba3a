//! Any bytes as a pattern: compiling gives a pattern, or an error with a position in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_pattern::{Dialect, Event, Limits, Pattern};

fuzz_target!(|text: &[u8]| {
    for dialect in [Dialect::EventPattern, Dialect::FilterAttributes, Dialect::FilterBody] {
        match Pattern::compile(text, dialect, &Limits::default()) {
            Ok(pattern) => {
                // A text that compiles begins with a JSON object. A trusted reading ends behind it.
                assert!(pattern.matches(Event::trusted(text)).is_ok());
            }
            Err(error) => {
                assert!(!error.reason.is_empty() && error.message().contains(&error.reason));
                let lines = text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
                assert!(error.line as usize <= lines && error.column as usize <= text.len() + 2);
            }
        }
    }
});
