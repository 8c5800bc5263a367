//! Spellings of a place's name into keys: databases write one place in many ways, with and without
//! accents, capitals, punctuation, and words such as "Province".

/// What a name is found by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// All of its letters and digits.
    pub full: String,
    /// Those of the words that tell it from its neighbours; all where none does.
    pub brief: String,
}

/// The keys of `name`. Letters lose their accents, and what stands in parentheses is left out;
/// letters of other scripts are kept as they are.
pub(super) fn keys(name: &str) -> Keys {
    let plain = plain(name);
    let (mut full, mut brief) = (String::new(), String::new());
    for word in plain.split(' ') {
        full.push_str(word);
        if GENERIC.binary_search(&word).is_err() {
            brief.push_str(word);
        }
    }
    if brief.is_empty() {
        brief.clone_from(&full);
    }
    Keys { full, brief }
}

/// The words of `name` in small plain letters, with spaces between them.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut depth = 0usize;
    for letter in name.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 || is_silent(letter) => {}
            'A'..='Z' | 'a'..='z' | '0'..='9' => plain.push(letter.to_ascii_lowercase()),
            _ if letter.is_alphabetic() => {
                letter.to_lowercase().for_each(|it| fold(it, &mut plain))
            }
            _ => plain.push(' '),
        }
    }
    plain
}

/// Apostrophes of all kinds, and combining accents.
fn is_silent(letter: char) -> bool {
    matches!(letter, '\'' | '`' | '‘' | '’' | 'ʻ' | 'ʼ' | '\u{300}'..='\u{36f}')
}

fn fold(letter: char, out: &mut String) {
    match FOLDS.iter().find(|(_, accented)| accented.contains(letter)) {
        Some((base, _)) => out.push_str(base),
        None => out.push(letter),
    }
}

/// Small letters with accents, by what is left without.
const FOLDS: [(&str, &str); 29] = [
    ("a", "àáâãäåāăąǎǟǡǻȁȃȧəǝḁạảấầẩẫậắằẳẵặ"),
    ("ae", "æǣǽ"),
    ("b", "ḃḅḇ"),
    ("c", "çćĉċčḉ"),
    ("d", "ðďđḋḍḏḑḓ"),
    ("e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
    ("f", "ḟ"),
    ("g", "ĝğġģǧǵḡ"),
    ("h", "ĥħȟḣḥḧḩḫẖ"),
    ("i", "ìíîïĩīĭįıǐȉȋḭḯỉị"),
    ("j", "ĵǰ"),
    ("k", "ķǩḱḳḵ"),
    ("l", "ĺļľłḷḹḻḽ"),
    ("m", "ḿṁṃ"),
    ("n", "ñńņňŋǹṅṇṉṋ"),
    ("o", "òóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
    ("oe", "œ"),
    ("p", "ṕṗ"),
    ("r", "ŕŗřȑȓṙṛṝṟ"),
    ("s", "śŝşšșṡṣṥṧṩ"),
    ("ss", "ß"),
    ("t", "ţťțṫṭṯṱẗ"),
    ("th", "þ"),
    ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
    ("v", "ṽṿ"),
    ("w", "ŵẁẃẅẇẉẘ"),
    ("x", "ẋẍ"),
    ("y", "ýÿŷȳẏẙỳỵỷỹ"),
    ("z", "źżžẑẓẕ"),
];

/// Words for kinds of places and between words, in the languages that databases use. Sorted.
const GENERIC: [&str; 111] = [
    "administrative",
    "al",
    "amt",
    "and",
    "atoll",
    "autonomous",
    "bundesland",
    "canton",
    "capital",
    "changwat",
    "city",
    "comitat",
    "commune",
    "communes",
    "comte",
    "comuna",
    "county",
    "d",
    "da",
    "das",
    "de",
    "del",
    "della",
    "departamento",
    "departement",
    "department",
    "departments",
    "des",
    "di",
    "district",
    "distrikt",
    "distrito",
    "division",
    "do",
    "dos",
    "du",
    "e",
    "el",
    "emirate",
    "estado",
    "et",
    "etat",
    "free",
    "fu",
    "fylke",
    "gobernacion",
    "governorate",
    "hanseatic",
    "i",
    "island",
    "islands",
    "judetul",
    "kanton",
    "ken",
    "krai",
    "kray",
    "la",
    "lan",
    "land",
    "le",
    "les",
    "megye",
    "metropolitan",
    "mintaqat",
    "muhafazah",
    "municipal",
    "municipality",
    "municipio",
    "novads",
    "obcina",
    "oblast",
    "oblasti",
    "obshtina",
    "of",
    "okrug",
    "opcina",
    "os",
    "ostan",
    "parish",
    "prefecture",
    "province",
    "provincia",
    "provincie",
    "provins",
    "provinz",
    "raion",
    "raions",
    "rajons",
    "rayon",
    "regiao",
    "region",
    "regione",
    "regions",
    "republic",
    "respublika",
    "rural",
    "shahrestan",
    "si",
    "special",
    "state",
    "territoire",
    "territorio",
    "territory",
    "the",
    "to",
    "und",
    "urban",
    "voivodeship",
    "wilaya",
    "y",
    "zupanija",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for (spellings, brief) in [
            (&["Île-de-France", "Ile de France", "ILE DE FRANCE"][..], "ilefrance"),
            (&["Abū Z̧aby", "Abu Zaby", "abu zaby Emirate"], "abuzaby"),
            (&["Ra’s al Khaymah", "Ras Al-Khaymah"], "raskhaymah"),
            (&["Province of Zeeland", "Zeeland", "Provincie Zeeland"], "zeeland"),
            (&["Ho Chi Minh City (HCMC)", "Hồ Chí Minh"], "hochiminh"),
            (&["Şəmkir", "Şǝmkir", "Samkir"], "samkir"),
            // Nothing but words for kinds of places: all of it counts.
            (&["Region", "(x) region"], "region"),
            (&["Москва"], "москва"),
            (&["", "()", "-"], ""),
        ] {
            spellings.iter().for_each(|it| assert_eq!(keys(it).brief, brief, "{it}"));
        }
        assert_eq!(keys("Moscow Oblast").full, "moscowoblast");
    }

    #[test]
    fn the_words_for_kinds_of_places_are_sorted() {
        assert!(GENERIC.is_sorted());
    }
}
