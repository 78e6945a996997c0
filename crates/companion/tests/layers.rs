//! The layers of the companion: imports run downwards only, and never in a circle. Read from the
//! sources as text, `crate::` and `super::` paths alike; tests are excepted, comments do not count.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of the companion from the ground up. A module may import those of its own line, if
/// that makes no circle, and those above its line; never one below.
const LAYERS: [&[&str]; 7] = [
    &["domain"],
    &["admission", "ambient", "clients", "config", "dpop", "issuer", "keys", "open_files"],
    &["storage", "upstream"],
    &["app", "setup"],
    &["pages", "web"],
    &["admin", "handoff", "oauth", "session_check", "webhooks"],
    &["lib", "logging", "main", "operator", "reload", "router", "serve"],
];

/// Which module imports which, and from which file.
type Imports = BTreeMap<String, BTreeMap<String, String>>;

/// A source file: its path below `src`, and its text.
type Source = (String, String);

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// What ships of a text: no comments, and nothing from the inline test module on.
fn shipped(text: &str) -> String {
    let product = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code = product.lines().map(|line| match line.find("//") {
        Some(0) => "",
        Some(start) if line[..start].ends_with(' ') => &line[..start],
        _ => line,
    });
    code.collect::<Vec<_>>().join("\n")
}

fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("tests/")
}

/// `src/web/form.rs` is two deep: its `super` is `web`, the next one the root.
fn depth(path: &str) -> usize {
    path.trim_end_matches("/mod.rs").split('/').filter(|name| !name.is_empty()).count()
}

/// The name, or the names of the braces, that a path goes on with.
fn names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut open, mut items, mut item) = (1, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 1 => items.push(name(&std::mem::take(&mut item))),
            _ => {}
        }
        if open == 0 {
            break;
        }
        if c != ',' || open > 1 {
            item.push(c);
        }
    }
    items.push(name(&item));
    items
}

/// Names directly below `folder` (empty: the root of the crate) that a file in it refers to.
fn referred(path: &str, text: &str, folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let absolute = folder.split('/').filter(|name| !name.is_empty());
    let absolute = absolute.fold("crate::".to_owned(), |path, name| format!("{path}{name}::"));
    for (start, _) in text.match_indices(&absolute) {
        let is_word = text[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if !is_word {
            found.extend(names(&text[start + absolute.len()..]));
        }
    }
    let links_to_folder = depth(path) - depth(folder);
    for (start, _) in text.match_indices("super::") {
        // The beginning of a chain only: it counts its own links.
        if text[..start].ends_with("::") {
            continue;
        }
        let (mut rest, mut links) = (&text[start..], 0);
        while let Some(next) = rest.strip_prefix("super::") {
            (rest, links) = (next, links + 1);
        }
        if links == links_to_folder {
            found.extend(names(rest));
        }
    }
    found
}

fn imports(sources: &[Source]) -> Imports {
    let mut imports = Imports::new();
    for (path, text) in sources.iter().filter(|(path, _)| !is_test(path)) {
        let module = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let of_module = imports.entry(module.clone()).or_default();
        for name in referred(path, &shipped(text), "") {
            if layer(&name).is_some() && name != module {
                of_module.insert(name, path.clone());
            }
        }
    }
    imports
}

/// Every import that runs upwards, every module without a layer, and a circle if there is one.
fn faults(imports: &Imports) -> Vec<String> {
    let mut faults = Vec::new();
    for (module, imported) in imports {
        let Some(own) = layer(module) else {
            faults.push(format!("{module} has no layer"));
            continue;
        };
        for (name, path) in imported {
            if layer(name).is_some_and(|other| other > own) {
                faults.push(format!("{path} imports {name}, which is above {module}"));
            }
        }
    }
    faults.extend(circle(imports));
    faults
}

/// Takes away what imports nothing that is left, again and again; what stays is a circle or leads
/// to one.
fn circle(imports: &Imports) -> Option<String> {
    let mut left: BTreeSet<&String> = imports.keys().collect();
    loop {
        let free = |module: &&&String| !imports[**module].keys().any(|name| left.contains(name));
        let Some(module) = left.iter().find(free).copied() else { break };
        left.remove(module);
    }
    (!left.is_empty()).then(|| format!("a circle among {left:?}"))
}

/// The same among the files and folders of one folder.
fn imports_in(folder: &str, sources: &[Source]) -> Imports {
    let mut imports = Imports::new();
    for (path, text) in sources.iter().filter(|(path, _)| !is_test(path)) {
        let Some(below) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let module = below.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        if module == "mod" {
            continue;
        }
        let of_module = imports.entry(module.clone()).or_default();
        for name in referred(path, &shipped(text), folder).into_iter().filter(|it| *it != module) {
            of_module.insert(name, path.clone());
        }
    }
    imports
}

fn circles_in_folders(sources: &[Source]) -> Vec<String> {
    let folders: BTreeSet<&str> =
        sources.iter().filter_map(|(path, _)| Some(path.rsplit_once('/')?.0)).collect();
    let found = folders
        .into_iter()
        .filter_map(|folder| Some(format!("{folder}: {}", circle(&imports_in(folder, sources))?)));
    found.collect()
}

fn sources() -> Vec<Source> {
    fn collect(folder: &Path, root: &Path, sources: &mut Vec<Source>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, sources);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let below = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                sources.push((below, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    sources
}

#[test]
fn imports_run_downwards_and_in_no_circle() {
    let imports = imports(&sources());
    for module in LAYERS.into_iter().flatten() {
        assert!(imports.contains_key(*module), "there is no module {module}");
    }
    assert!(imports["oauth"].contains_key("domain"), "imports are found");
    assert_eq!(faults(&imports), [""; 0]);
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    for (path, planted) in [
        ("domain/id.rs", "use crate::storage::Storage;"),
        ("config/mod.rs", "use crate::{admission::AdmissionPolicy, upstream::Rate};"),
        ("config/mod.rs", "use crate::{\n    domain,\n    web::{Form, Page},\n};"),
        ("upstream/cache.rs", "fn f(peer: crate::web::PeerAddress) {}"),
        ("upstream/cache.rs", "use super::super::web::Form;"),
        ("setup.rs", "use super::oauth::token;"),
        ("pages/draw.rs", "pub(crate) use crate::handoff::page;"),
        ("made_up.rs", "fn f() {}"),
    ] {
        let mut sources = sources();
        match sources.iter_mut().find(|(known, _)| known == path) {
            Some((_, text)) => text.insert_str(0, &format!("{planted}\n")),
            None => sources.push((path.to_owned(), planted.to_owned())),
        }
        let faults = faults(&imports(&sources));
        assert!(!faults.is_empty(), "{path}: {planted}");
    }
}

#[test]
fn a_circle_in_a_layer_is_found() {
    let mut sources = sources();
    assert_eq!(faults(&imports(&sources)), [""; 0]);
    let app = sources.iter_mut().find(|(path, _)| path == "setup.rs").unwrap();
    app.1.insert_str(0, "use crate::app::App;\n");
    assert_eq!(faults(&imports(&sources)).len(), 1, "app imports setup");
    assert!(faults(&imports(&sources))[0].starts_with("a circle"));
}

#[test]
fn the_files_of_a_folder_import_each_other_in_no_circle() {
    let mut sources = sources();
    assert_eq!(circles_in_folders(&sources), [""; 0]);
    for (path, planted) in [
        ("oauth/pushed_request.rs", "use super::request::LIFETIME;"),
        ("oauth/pushed_request.rs", "use super::{par, compact::CompactRequest};"),
        ("upstream/exchanges/queue.rs", "use crate::upstream::exchanges::permit::ExchangePermit;"),
        ("upstream/cache.rs", "use crate::upstream::{lookups::Lookups, Rate};"),
    ] {
        let file = sources.iter_mut().find(|(known, _)| known == path).unwrap();
        file.1.insert_str(0, &format!("{planted}\n"));
        let found = circles_in_folders(&sources).len();
        let file = sources.iter_mut().find(|(known, _)| known == path).unwrap();
        file.1.replace_range(..=planted.len(), "");
        assert_eq!(found, 1, "{path}: {planted}");
    }
}

#[test]
fn comments_tests_and_longer_words_are_no_imports() {
    for text in [
        "//! See [`crate::web`].\n",
        "    /// As [`crate::web::Form`] does.\n",
        "let url = 1; // as crate::web\n",
        "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::web::Form;\n}\n",
        "use mycrate::web::Form;\n",
        "use super::web::Form;\n",
    ] {
        let planted = vec![("domain/planted.rs".to_owned(), text.to_owned())];
        assert!(imports(&planted)["domain"].is_empty(), "{text}");
    }
    let in_tests = vec![("domain/tests.rs".to_owned(), "use crate::web::Form;".to_owned())];
    assert!(imports(&in_tests).is_empty());
}
