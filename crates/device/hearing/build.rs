//! Chooses the linker of `sotto-ear`: mold keeps the imports of code that it throws away, and with them socket calls
//! that nothing in the binary makes. The linkers of the toolchain do not, and what the binary imports is the proof.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
    // Rust brings its own lld for the first; the second's own linker does as well.
    let linker = if target.starts_with("x86_64") { "lld" } else { "bfd" };
    println!("cargo:rustc-link-arg-bins=-fuse-ld={linker}");
}
