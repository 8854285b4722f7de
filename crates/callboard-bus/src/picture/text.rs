//! How wide text is, how it is cut to fit, and how characters that cannot be shown are made visible. Pure.

use std::borrow::Cow;

/// Widths of the characters from space to tilde in thousandths of the font size: of each the greater of those in Helvetica
/// (Adobe's font metrics) and DejaVu Sans, so that text fits with whatever plain font a viewer has.
#[rustfmt::skip]
const ASCII: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 556,
    1015, 684, 686, 722, 770, 667, 611, 778, 752, 295, 500, 667, 557, 863, 748, 787,
    667, 787, 722, 667, 611, 732, 684, 989, 685, 667, 685, 390, 337, 390, 838, 556,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

const ELLIPSIS: char = '…';
/// What stands between the parts of a line that says several things.
const PARTS: &str = " · ";
/// Where a line may be broken: the first that is there is the best.
const JOINTS: [&str; 6] = [PARTS, " ", ".", ":", "_", "-"];
/// How much of a text that is cut is its beginning: names in dotted paths tell more at their end.
const HEAD_SHARE: f64 = 0.35;

/// An upper estimate of the width of a line of text, in the unit of `size`.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The text, or as much of its beginning and end as fits beside an ellipsis: names differ in their first and last words
/// more often than in the middle.
pub(super) fn cut(text: &str, size: f64, room: f64) -> Cow<'_, str> {
    if width(text, size) <= room {
        return Cow::Borrowed(text);
    }
    let room = room / size - advance(ELLIPSIS);
    let head = fitting(text.chars(), room * HEAD_SHARE);
    let tail = fitting(text.chars().rev(), room - width(&text[..head], 1.0));
    let tail = text[text.len() - tail..].trim_start_matches(is_joining);
    Cow::Owned(format!("{}{ELLIPSIS}{tail}", text[..head].trim_end_matches('\u{200d}')))
}

/// The text in one line or two: the first ends where a part of the text does, if one ends in its latter half, and of the
/// second the middle is cut if it must be.
pub(super) fn two_lines(text: &str, size: f64, room: f64) -> Vec<String> {
    if width(text, size) <= room {
        return vec![text.to_owned()];
    }
    let most = fitting(text.chars(), room / size);
    let end_of_part = |joint: &str| Some(text[..most].rfind(joint)? + joint.len());
    let end = JOINTS.iter().find_map(|joint| end_of_part(joint).filter(|end| end * 2 > most)).unwrap_or(most);
    let first = text[..end].trim_end().trim_end_matches(PARTS.trim_end()).trim_end();
    vec![first.to_owned(), cut(text[end..].trim_start(), size, room).into_owned()]
}

/// Lines no wider than `room`, broken at spaces where possible.
pub(super) fn wrapped(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let word = cut(word, size, room);
        match lines.last_mut() {
            Some(line) if width(line, size) + width(" ", size) + width(&word, size) <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word.into_owned()),
        }
    }
    lines
}

/// The text on one line, with a character to be seen instead of every one that controls: no label can turn the direction of
/// its neighbours, or break a format that forbids control characters.
pub(super) fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn visible_char(character: char) -> char {
    match character {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        // Unicode has pictures of the control characters, in their order.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        // The last two of every plane are no characters.
        other if u32::from(other) & 0xfffe == 0xfffe => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}

/// How many bytes of the characters fit.
fn fitting(characters: impl Iterator<Item = char>, room: f64) -> usize {
    let mut used = 0.0;
    let fitting = characters.take_while(|&character| {
        used += advance(character);
        used <= room
    });
    fitting.map(char::len_utf8).sum()
}

/// In parts of the font size. Beyond ASCII a table would be long and fonts differ, so whole blocks get their widest usual
/// character.
fn advance(character: char) -> f64 {
    if is_joining(character) {
        return 0.0;
    }
    match u32::from(character) {
        code @ 0x20..=0x7e => f64::from(ASCII[(code - 0x20) as usize]) / 1000.0,
        0xa0..=0x24f => 0.8,
        // Hangul to the end of CJK, and the full-width forms.
        0x1100..=0x11ff | 0x2e80..=0xd7ff | 0xf900..=0xfaff | 0xfe30..=0xffef | 0x2_0000..=0x3_ffff => 1.05,
        0x1_f000..=0x1_faff => 1.4,
        _ => 1.1,
    }
}

/// Whether it only changes the character before it.
fn is_joining(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_cut_fits(text in ".{0,60}", room in 20.0f64..300.0) {
            let shown = cut(&text, 13.0, room);
            prop_assert!(width(&shown, 13.0) <= room);
            prop_assert_eq!(shown == text, width(&text, 13.0) <= room);
        }

        #[test]
        fn two_lines_fit_and_keep_what_is_not_cut(text in "[a-z_. ·]{0,60}", room in 60.0f64..300.0) {
            let lines = two_lines(&text, 13.0, room);
            prop_assert!((1..=2).contains(&lines.len()));
            prop_assert!(lines.iter().all(|line| width(line, 13.0) <= room));
            let bare = |text: &str| text.replace([' ', '·'], "");
            prop_assert!(lines[lines.len() - 1].contains(ELLIPSIS) || bare(&lines.concat()) == bare(&text));
        }

        #[test]
        fn lines_fit_and_keep_every_word(text in "[a-z]{1,5}( [a-z]{1,5}){0,20}", room in 60.0f64..200.0) {
            let lines = wrapped(&text, 11.0, room);
            prop_assert!(lines.iter().all(|line| width(line, 11.0) <= room));
            prop_assert_eq!(lines.join(" "), text);
        }

        #[test]
        fn what_is_visible_has_no_controls(text in any::<String>()) {
            let shown = visible(&text);
            prop_assert_eq!(shown.chars().count(), text.chars().count());
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(visible(&shown), shown);
        }
    }

    #[test]
    fn lines_end_where_parts_do() {
        let lines = |text| two_lines(text, 10.0, 120.0).join(" | ");
        assert_eq!(lines("storage.put · 12 ms"), "storage.put · 12 ms");
        assert_eq!(lines("storage_module.put · 12 items"), "storage_module.put | 12 items");
        assert_eq!(lines("storage_module.store_everything"), "storage_module. | store_everything");
        assert_eq!(lines("abcdefghijklmnopqrstuvwxyz"), "abcdefghijklmnopqrstu | vwxyz");
    }

    #[test]
    fn both_ends_of_a_name_stay() {
        assert_eq!(cut("NFCORE_AIRRFLOW:SEQUENCE_ASSEMBLY:FASTQC", 10.0, 120.0), "NFCOR…MBLY:FASTQC");
        assert_eq!(cut("short", 10.0, 120.0), "short");
        assert_eq!(visible("a\n\0\u{202e}b"), "a ␀\u{fffd}b");
    }
}
