//! A new migration is a reason to compile again: the macro that takes them in does not see new files.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
