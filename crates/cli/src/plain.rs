//! Text from elsewhere as a terminal may be given it. NOT for what a program reads: see
//! [`escaped`].

use keyport_core::text::is_unsafe;

/// The longest text from elsewhere that is shown whole, in characters.
const LONGEST: usize = 256;

/// Without what a terminal obeys, and not so long that what is said beside it scrolls away.
pub fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c });
    let mut plain: String = shown.take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        plain.push('…');
    }
    plain
}

/// As [`plain`], for several lines of our own with text from elsewhere in them.
pub fn plain_lines(lines: &str) -> String {
    lines.chars().map(|c| if c != '\n' && is_unsafe(c) { '\u{fffd}' } else { c }).collect()
}

/// A JSON text that says the same without what a terminal obeys: each such character as its escape
/// (RFC 8259 §7). In valid JSON they stand in strings alone.
pub fn escaped(json: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_hides_is_replaced() {
        let controls = "\u{0}\u{7}\u{1b}\u{7f}\u{9b}\n\r";
        let bidi = "\u{61c}\u{200e}\u{2028}\u{202e}\u{2066}\u{2069}";
        for bad in controls.chars().chain(bidi.chars()).chain("\u{200b}\u{feff}\u{e0041}".chars()) {
            assert_eq!(plain(&format!("a{bad}b")), "a\u{fffd}b", "{bad:?}");
            let json = escaped(&serde_json::to_string(&format!("a{bad}b")).unwrap());
            assert!(json.is_ascii() && !json.chars().any(char::is_control), "{json:?}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), format!("a{bad}b"));
        }
        assert_eq!(plain("Zoë 李雷 мир שלום"), "Zoë 李雷 мир שלום");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(plain(&"é".repeat(LONGEST)), "é".repeat(LONGEST));
        assert_eq!(plain(&"é".repeat(LONGEST + 1)), format!("{}…", "é".repeat(LONGEST)));
    }
}
