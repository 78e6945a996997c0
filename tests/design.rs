//! The looks of the window and of the pages in a browser come from one place: the colours from
//! `ui/tokens.css`, the mark from `ui/index.html`.

use anyhow::{Context, Result, ensure};
use keyport_tests::sources::{files, root};

const COLOURS: &str = "ui/tokens.css";

/// Whether the text has a colour such as `#1F5F5B` or `#FFF`.
fn has_colour(text: &str) -> bool {
    text.match_indices('#').any(|(at, _)| {
        let rest = &text[at + 1..];
        let digits = rest.chars().take_while(char::is_ascii_hexdigit).count();
        let ends = rest[digits..].chars().next().is_none_or(|c| ";,}\"' )".contains(c));
        ends && (digits == 3 || digits == 6)
    })
}

#[test]
fn colours_stand_in_one_file() -> Result<()> {
    let mut seen = false;
    for (path, content) in files(&[".css", ".html", ".js", "pages.rs", "layout.rs", "response.rs"])?
    {
        let ours = path.starts_with("ui/") || path.starts_with("crates/");
        if path == COLOURS {
            seen = has_colour(&content);
        } else if ours {
            let line = content.lines().find(|line| has_colour(line));
            assert_eq!(line, None, "{path} has a colour of its own");
        }
    }
    ensure!(seen, "{COLOURS} has no colour");
    Ok(())
}

/// The icon files are drawn smaller in their frame, so their numbers differ.
#[test]
fn the_mark_of_the_window_is_the_mark_of_the_pages() -> Result<()> {
    let window = std::fs::read_to_string(root().join("ui/index.html"))?;
    let pages = std::fs::read_to_string(root().join("crates/companion/src/pages/layout.rs"))?;
    // A long string goes on in the next line.
    let pages: String = pages.split("\\\n").map(str::trim_start).collect();
    let mark = window.split_once("class=\"mark\"").context("the mark")?.1;
    let mark = mark.split_once("</svg>").context("the end of the mark")?.0;
    let shapes: Vec<_> =
        mark.split(" d=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    ensure!(shapes.len() == 2, "a gate and a keyhole: {shapes:?}");
    for shape in shapes {
        assert!(pages.contains(shape), "the pages draw another {shape}");
    }
    Ok(())
}
