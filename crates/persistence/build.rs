//! The migrations are embedded by a macro, whose inputs cargo does not know.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
