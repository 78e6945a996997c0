//! Characters of a text from elsewhere that are not only text.

/// What a terminal obeys (ECMA-48), what ends a line (Unicode too), what turns the reading
/// direction (bidi controls, UAX #9), and what is there without being seen: soft hyphen, zero-width
/// characters, invisible operators, byte order mark, annotations, language tags. The joiners of
/// emoji and of Indic scripts are among them, and two names that differ in them alone look the
/// same.
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
