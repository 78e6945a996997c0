//! Text that others wrote (a name, an organization, a device) made fit to be shown: on one line,
//! without invisible characters, and without a say in the direction of the text around it
//! (Unicode Standard Annex #9, Unicode Technical Report #36 §2).

/// `text` without control characters, direction overrides and invisible characters. The joiners
/// that Persian, Indic scripts and emoji need stay.
#[must_use]
pub fn clean(text: &str) -> String {
    let visible = text.chars().filter(|c| c.is_whitespace() || !is_invisible(*c));
    let cleaned: String = visible.map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    cleaned.trim().to_owned()
}

/// As [`clean`], to be put into a sentence: text from right to left is isolated from it.
#[must_use]
pub fn isolated(text: &str) -> String {
    let cleaned = clean(text);
    if cleaned.chars().any(is_from_right_to_left) {
        format!("\u{2068}{cleaned}\u{2069}")
    } else {
        cleaned
    }
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0xAD | 0x61C | 0x180E | 0x200B | 0x200E | 0x200F | 0x202A..=0x202E | 0x2060..=0x206F
                | 0xFEFF | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF
        )
}

/// The blocks whose letters are written from right to left.
fn is_from_right_to_left(c: char) -> bool {
    matches!(
        u32::from(c),
        0x590..=0x8FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF
    )
}
