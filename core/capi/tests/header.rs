//! The header `include/trunkline.h` says what the sources say. To write it again after a change:
//!
//! ```text
//! TRUNKLINE_WRITE_HEADER=1 cargo test -p trunkline-capi --test header
//! ```

#[path = "header/declare.rs"]
mod declare;
#[path = "header/render.rs"]
mod render;

use std::path::Path;

#[test]
fn the_header_says_what_the_sources_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = render::header(&root.join("src"));
    let path = root.join("include/trunkline.h");
    if std::env::var_os("TRUNKLINE_WRITE_HEADER").is_some() {
        std::fs::write(&path, &header).expect("the header can be written");
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == header,
        "include/trunkline.h is stale; run TRUNKLINE_WRITE_HEADER=1 cargo test -p trunkline-capi \
         --test header"
    );
}

#[test]
fn no_line_of_the_header_is_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for line in render::header(&root.join("src")).lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}
