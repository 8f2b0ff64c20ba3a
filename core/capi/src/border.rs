//! Pointers from C, each wrapped in a type that says what it may be used for. The only place, with
//! `messages` and `records`, where one is followed.
//!
//! Soundness: the wrappers' fields are private and nothing here makes one from an address, so every
//! pointer inside came through an exported function, whose C caller promises what the header asks:
//! null, or readable (for outputs writable) memory of that type for the time of the call. Null and
//! misaligned pointers are refused; nothing can check the rest.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::mem::size_of;
use std::slice;

use trunkline_engine::{Code, Error, Result};

/// The longest text that is read, in bytes: longer than any path or receipt.
const TEXT_BYTES_MAX: usize = 4_096;

/// A text of C: UTF-8 with a closing NUL, or null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Text(*const c_char);

impl Text {
    /// No text.
    pub(crate) const NULL: Self = Self(std::ptr::null());

    /// The text of the parameter `field`, which is required.
    pub(crate) fn get(&self, field: &str) -> Result<&str> {
        self.optional(field)?.ok_or_else(|| missing(field))
    }

    /// The text of the parameter `field`; `None` for null.
    pub(crate) fn optional(&self, field: &str) -> Result<Option<&str>> {
        if self.0.is_null() {
            return Ok(None);
        }
        // SAFETY: not null, so a text with a closing NUL, of which no byte behind the NUL is read.
        let length = unsafe { libc::strnlen(self.0, TEXT_BYTES_MAX + 1) };
        if length > TEXT_BYTES_MAX {
            return Err(invalid(field, &format!("Must be at most {TEXT_BYTES_MAX} bytes long.")));
        }
        // SAFETY: these bytes were just read; the caller keeps them for the time of the call, which
        // `self`, an argument of that call, does not outlive.
        let bytes = unsafe { slice::from_raw_parts(self.0.cast::<u8>(), length) };
        let text = std::str::from_utf8(bytes);
        text.map(Some).map_err(|_| invalid(field, "Must be UTF-8."))
    }
}

/// Bytes of C, whose length comes beside them, or null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Bytes(*const c_void);

impl Bytes {
    /// The bytes; null is allowed where there are none.
    pub(crate) fn get(&self, length: usize, field: &str) -> Result<&[u8]> {
        if length == 0 {
            return Ok(&[]);
        }
        if self.0.is_null() {
            return Err(missing(field));
        }
        if length > isize::MAX as usize {
            return Err(invalid(field, "Its length is larger than the memory."));
        }
        // SAFETY: not null, so `length` readable bytes for the time of the call; the length fits.
        Ok(unsafe { slice::from_raw_parts(self.0.cast::<u8>(), length) })
    }
}

/// Plain data that C fills in, and that may grow at its end in later versions.
///
/// # Safety
/// `repr(C)`, without padding that matters, valid for every pattern of bits, and with its size as a
/// `usize` in the first field.
pub unsafe trait Growing: Copy {
    /// Every field unset, the size filled in.
    const UNSET: Self;
    /// The size in the first version that had this type.
    const FIRST_SIZE: usize;
}

/// Options that C passes, or null for none.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct In<T>(*const T);

impl<T: Growing> In<T> {
    /// The options; fields that the caller's header does not know are unset.
    pub(crate) fn get(&self, field: &str) -> Result<T> {
        if self.0.is_null() {
            return Ok(T::UNSET);
        }
        check_aligned(self.0, field)?;
        // SAFETY: not null and aligned, so at least the first field, a `usize`, is readable.
        let size = unsafe { self.0.cast::<usize>().read() };
        check_size::<T>(size, field)?;
        let mut options = T::UNSET;
        // SAFETY: the caller's type has `size` bytes, at most ours, and any bits are valid for it.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.0.cast::<u8>(),
                (&raw mut options).cast::<u8>(),
                size,
            );
        }
        Ok(options)
    }
}

/// One plain value that C passes, or null for none.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Maybe<T>(*const T);

impl Maybe<u64> {
    /// No value.
    pub(crate) const NULL: Self = Self(std::ptr::null());

    /// The value; `None` for null.
    pub(crate) fn get(&self, field: &str) -> Result<Option<u64>> {
        if self.0.is_null() {
            return Ok(None);
        }
        check_aligned(self.0, field)?;
        // SAFETY: not null and aligned, so a readable u64.
        Ok(Some(unsafe { self.0.read() }))
    }
}

/// Where C wants a result, or null.
#[repr(transparent)]
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Whether C wants no result.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// Refuses a null or misaligned pointer. Called before the verb does anything, because a result
    /// that cannot be handed over would be lost.
    pub(crate) fn check(&self, field: &str) -> Result<()> {
        if self.0.is_null() {
            return Err(missing(field));
        }
        check_aligned(self.0, field)
    }
}

impl<T: Copy> Out<T> {
    /// Hands the result over, if there is a place for it.
    pub(crate) fn put(&self, value: T) {
        if !self.0.is_null() && self.0.is_aligned() {
            // SAFETY: not null and aligned, so writable memory of this type. The old content, which
            // may never have been written, is not read, and has no destructor.
            unsafe { self.0.write(value) };
        }
    }

    /// Takes what C holds there and leaves `empty`; `None` for null.
    pub(crate) fn replace(&self, empty: T) -> Option<T> {
        if self.0.is_null() || !self.0.is_aligned() {
            return None;
        }
        // SAFETY: not null and aligned; the header asks for a value that a call of ours has
        // written.
        Some(unsafe { self.0.replace(empty) })
    }
}

impl<T: Growing> Out<T> {
    /// The size that the caller's header knows, checked.
    pub(crate) fn check_sized(&self, field: &str) -> Result<usize> {
        self.check(field)?;
        // SAFETY: not null and aligned; the header asks for the first field to be filled in.
        let size = unsafe { self.0.cast::<usize>().read() };
        check_size::<T>(size, field)?;
        Ok(size)
    }

    /// Hands over the first `size` bytes of `value`; `size` comes from [`Out::check_sized`].
    pub(crate) fn put_sized(&self, value: T, size: usize) {
        let size = size.min(size_of::<T>());
        // SAFETY: `check_sized` has seen a writable value of `size` bytes here.
        unsafe {
            std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), self.0.cast(), size);
        }
    }
}

fn check_size<T: Growing>(size: usize, field: &str) -> Result<()> {
    if (T::FIRST_SIZE..=size_of::<T>()).contains(&size) {
        return Ok(());
    }
    let reason = "Its size field must be the size of its type in a header that is not newer than \
                  the library; start from the INIT macro of the type.";
    Err(invalid(field, reason))
}

fn check_aligned<T>(pointer: *const T, field: &str) -> Result<()> {
    if pointer.is_aligned() {
        return Ok(());
    }
    Err(invalid(field, "The pointer is not aligned for its type."))
}

#[cold]
fn missing(field: &str) -> Error {
    Error::new(Code::MissingParameter, format!("The parameter {field} is NULL, and is required."))
}

#[cold]
fn invalid(field: &str, reason: &str) -> Error {
    let text = format!("Value for parameter {field} is invalid. Reason: {reason}");
    Error::new(Code::InvalidParameterValue, text)
}
