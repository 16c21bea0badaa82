//! Compiles the migrations in: one list of their names and texts, in order (`db/migrate.rs` reads it).
use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo says where")).join("migrations");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the migrations folder")
        .map(|entry| entry.expect("a readable entry").file_name().into_string().expect("a plain name"))
        .filter(|name| name.ends_with(".sql"))
        .collect();
    names.sort();
    let mut list = String::from("pub(super) const FILES: &[(&str, &str)] = &[\n");
    for name in names {
        let path = folder.join(&name);
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(list, "    ({name:?}, include_str!({path:?})),").expect("a string takes all");
    }
    list.push_str("];\n");
    let to = Path::new(&env::var("OUT_DIR").expect("cargo says where")).join("migrations.rs");
    fs::write(to, list).expect("write into OUT_DIR");
}
