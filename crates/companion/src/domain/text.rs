//! Characters that text from elsewhere must not bring along: they end lines, steer terminals, turn
//! the reading direction or hide. Pure; who refuses and who cleans is decided by the callers.

/// Whether `c` is a control (C0, C1), ends a line, or is a format character that reorders or hides
/// text: bidi controls (Unicode UAX 9), zero-width characters, tags and the byte order mark.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// The same without controls, which a caller may want to turn into blanks.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line without unsafe characters, trimmed and cut to `longest` characters; `None` when nothing
/// is left. A joiner (U+200C, U+200D) stays between two letters that are not ASCII: Persian and
/// Indic names need it.
pub fn cleaned(text: &str, longest: usize) -> Option<String> {
    let mut line = String::new();
    let mut kept = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if kept == longest {
            break;
        }
        let joins = matches!(c, '\u{200c}' | '\u{200d}')
            && line.chars().next_back().is_some_and(is_foreign_letter)
            && rest.peek().copied().is_some_and(is_foreign_letter);
        let c = if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
        let is_second_blank = c == ' ' && line.chars().next_back().is_none_or(|last| last == ' ');
        if joins || !(is_invisible(c) || is_second_blank) {
            line.push(c);
            kept += 1;
        }
    }
    // A cut may have parted a joiner from the letter after it.
    let line = line.trim_end_matches(['\u{200c}', '\u{200d}']).trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn is_foreign_letter(c: char) -> bool {
    !c.is_ascii() && !is_unsafe(c) && !c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_steers_and_keeps_what_it_needs() {
        for (given, wanted) in [
            ("Ada Lovelace", Some("Ada Lovelace")),
            ("  Ada\r\n\tLovelace ", Some("Ada Lovelace")),
            ("Ada\u{202e}ecalevoL", Some("AdaecalevoL")),
            ("\u{2066}Ada\u{2069}", Some("Ada")),
            ("A\u{200b}da\u{feff}", Some("Ada")),
            ("A\u{200d}da", Some("Ada")),
            ("\u{1b}[31mAda\u{9b}0m", Some("[31mAda 0m")),
            ("Ada\u{2028}Lovelace", Some("Ada Lovelace")),
            ("نامه\u{200c}ای", Some("نامه\u{200c}ای")),
            ("Zoë Žižek-Núñez", Some("Zoë Žižek-Núñez")),
            ("", None),
            (" \u{200b}\n", None),
        ] {
            assert_eq!(cleaned(given, 256).as_deref(), wanted, "{given:?}");
        }
        assert_eq!(cleaned(&"é".repeat(500_000), 256), Some("é".repeat(256)));
    }

    #[test]
    fn cleaning_twice_changes_nothing_more() {
        proptest::proptest!(|(text in "\\PC*|[\\x00-\\x20\u{200b}-\u{202e}aé]{0,40}")| {
            if let Some(once) = cleaned(&text, 32) {
                let joins = |c| matches!(c, '\u{200c}' | '\u{200d}');
                let is_safe = once.chars().all(|c| joins(c) || !is_unsafe(c));
                proptest::prop_assert!(is_safe, "unsafe: {:?}", once);
                proptest::prop_assert!(once.chars().count() <= 32, "long: {:?}", once);
                let again = cleaned(&once, 32);
                proptest::prop_assert_eq!(again, Some(once));
            }
        });
    }
}
