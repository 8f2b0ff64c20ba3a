//! The two ends of a file that is readable once something was told to it.

use std::fs::File;

/// What is waited on, and what is written to: one eventfd.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn pair() -> std::io::Result<(File, File)> {
    use std::os::fd::{FromRawFd, OwnedFd};
    // SAFETY: the call takes two numbers; the descriptor it returns is new, and no other value
    // owns it.
    #[allow(unsafe_code)]
    let reader = unsafe {
        let descriptor = libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
        if descriptor < 0 {
            return Err(std::io::Error::last_os_error());
        }
        File::from(OwnedFd::from_raw_fd(descriptor))
    };
    let writer = reader.try_clone()?;
    Ok((reader, writer))
}

/// What is waited on, and what is written to: the ends of a pair of sockets.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn pair() -> std::io::Result<(File, File)> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    Ok((File::from(OwnedFd::from(reader)), File::from(OwnedFd::from(writer))))
}
