//! What is compiled in besides the code: the migrations, in one list of their names and texts (`db/migrate.rs` reads it), and the
//! web UI, for which a page that says how to build it stands in until that is done.
use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    migrations();
    web();
}

/// `web/dist` must be there for `http/ui.rs` to compile.
fn web() {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo says where")).join("../../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    if dist.join("index.html").exists() {
        return;
    }
    fs::create_dir_all(&dist).expect("make web/dist");
    let page = "<!doctype html>\n<html lang=\"en\">\n  <head><meta charset=\"utf-8\" /><title>Indaba</title></head>\n  \
                <body><h1>Indaba</h1><p>The web UI is not built yet: run <code>make web</code> and build again. \
                The API is here: <a href=\"/api/docs\">/api/docs</a>.</p></body>\n</html>\n";
    fs::write(dist.join("index.html"), page).expect("write web/dist/index.html");
}

fn migrations() {
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
