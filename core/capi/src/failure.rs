//! How a failure crosses the border: a status at once, its name and sentence on request.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use trunkline_engine::{Code, Error, Result};

use crate::status::Status;

struct Last {
    code: &'static str,
    message: CString,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Runs `verb`; an error is remembered for this thread, and a panic ends here.
pub(crate) fn guard(verb: impl FnOnce() -> Result<()>) -> Status {
    // The engine applies whole records, so its state is consistent wherever a panic comes from.
    match catch_unwind(AssertUnwindSafe(verb)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(error)) => remember(&error),
        Err(panic) => remember(&internal(panic.as_ref())),
    }
}

#[cold]
fn remember(error: &Error) -> Status {
    let status = Status::of(error.code());
    // A message that quotes a caller may hold a NUL, which C would take for its end.
    let message = CString::new(error.message().replace('\0', "\u{fffd}")).unwrap_or_default();
    // A thread that is ending has no memory left for its last error; the status still tells.
    let _ = LAST.try_with(|last| {
        *last.borrow_mut() = Some(Last { code: Status::name(status as i32), message });
    });
    status
}

#[cold]
fn internal(panic: &(dyn Any + Send)) -> Error {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let said = said.unwrap_or("The engine panicked");
    Error::new(Code::InternalError, format!("{said}; please report this."))
}

/// The name of the last failure on this thread, such as "QueueDoesNotExist"; "" if there was none.
/// Calls that succeed leave it alone. Valid until the next call on this thread.
#[unsafe(no_mangle)]
#[allow(unsafe_code)] // Only the attribute: our prefix makes the name unique.
pub extern "C" fn trunkline_last_error_code() -> *const c_char {
    read_last(|last| last.code.as_ptr().cast())
}

/// What went wrong at the last failure on this thread, and what to do about it; "" if there was
/// none. Valid until the next call on this thread.
#[unsafe(no_mangle)]
#[allow(unsafe_code)] // Only the attribute: our prefix makes the name unique.
pub extern "C" fn trunkline_last_error_message() -> *const c_char {
    read_last(|last| last.message.as_ptr())
}

/// The name of a status, such as "Ok" or "QueueDoesNotExist"; "Unknown" for any other number.
#[unsafe(no_mangle)]
#[allow(unsafe_code)] // Only the attribute: our prefix makes the name unique.
pub extern "C" fn trunkline_status_name(status: i32) -> *const c_char {
    Status::name(status).as_ptr().cast()
}

/// The version of the library, such as "1.2.3".
#[unsafe(no_mangle)]
#[allow(unsafe_code)] // Only the attribute: our prefix makes the name unique.
pub extern "C" fn trunkline_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

fn read_last(field: impl FnOnce(&Last) -> *const c_char) -> *const c_char {
    let read = LAST.try_with(|last| last.borrow().as_ref().map(field));
    read.ok().flatten().unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_message() -> CString {
        LAST.with(|last| {
            last.borrow().as_ref().map(|last| last.message.clone()).unwrap_or_default()
        })
    }

    #[test]
    fn a_panic_becomes_an_internal_error_with_its_words() {
        let status = guard(|| panic!("a slot was empty"));
        assert_eq!(status, Status::InternalError);
        assert_eq!(last_message().to_str(), Ok("a slot was empty; please report this."));
    }

    #[test]
    fn an_error_belongs_to_the_thread_it_happened_on() {
        let fail = || Err(Error::new(Code::OverLimit, "here\0only"));
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(guard(fail), Status::OverLimit));
        });
        assert_eq!(last_message().to_str(), Ok(""));
        guard(fail);
        assert_eq!(last_message().to_str(), Ok("here\u{fffd}only"));
    }
}
