//! Gives the shared library a name of its own, so that a program finds it where it lies at run time
//! and not where it lay when the program was linked.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android" | "freebsd") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtrunkline.so");
        }
        Ok("macos") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libtrunkline.dylib");
        }
        _ => {}
    }
}
