//! Invented people whose names hold what breaks naive code: apostrophes, accents, hyphens, blanks
//! and Arabic script.

use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// An invented person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Given name as the CRM shows it; for a few people in Arabic script.
    pub first_name: String,
    /// Family name as the CRM shows it.
    pub last_name: String,
    /// Given name in Arabic script.
    pub native_first_name: &'static str,
    /// Family name in Arabic script.
    pub native_last_name: &'static str,
    /// `Female` or `Male`.
    pub gender: &'static str,
    /// Unique, lower case, on an `.example` domain.
    pub academic_email: String,
    /// Unique, on another `.example` domain.
    pub personal_email: String,
}

/// Latin, Arabic, letters for an e-mail address, gender.
const GIVEN: [(&str, &str, &str, &str); 24] = [
    ("Layla", "ليلى", "layla", "Female"),
    ("Omar", "عمر", "omar", "Male"),
    ("Zoë", "زوي", "zoe", "Female"),
    ("José", "خوسيه", "jose", "Male"),
    ("Nour", "نور", "nour", "Female"),
    ("Łukasz", "لوكاش", "lukasz", "Male"),
    ("Hala", "هالة", "hala", "Female"),
    ("Yusuf", "يوسف", "yusuf", "Male"),
    ("Anne-Marie", "آن ماري", "annemarie", "Female"),
    ("Şükrü", "شكري", "sukru", "Male"),
    ("Rania", "رانيا", "rania", "Female"),
    ("Karim", "كريم", "karim", "Male"),
    ("Chloé", "كلوي", "chloe", "Female"),
    ("Tarek", "طارق", "tarek", "Male"),
    ("Ingrid", "إنغريد", "ingrid", "Female"),
    ("Mohammed Amin", "محمد أمين", "mohammedamin", "Male"),
    ("Dana", "دانا", "dana", "Female"),
    ("Peter", "بيتر", "peter", "Male"),
    ("Gülşen", "غولشن", "gulsen", "Female"),
    ("Samir", "سمير", "samir", "Male"),
    ("Iñes", "إينيس", "ines", "Female"),
    ("Bilal", "بلال", "bilal", "Male"),
    ("Salma", "سلمى", "salma", "Female"),
    ("Adam", "آدم", "adam", "Male"),
];

/// Latin, Arabic, letters for an e-mail address.
const FAMILY: [(&str, &str, &str); 20] = [
    ("O'Connor", "أوكونور", "oconnor"),
    ("Al-Hassan", "الحسن", "alhassan"),
    ("D'Souza", "دي سوزا", "dsouza"),
    ("Haddad", "حداد", "haddad"),
    ("Müller", "مولر", "muller"),
    ("Khalil", "خليل", "khalil"),
    ("N'Dour", "ندور", "ndour"),
    ("Çelik", "جليك", "celik"),
    ("Abu Zaid", "أبو زيد", "abuzaid"),
    ("García Núñez", "غارسيا نونيز", "garcianunez"),
    ("Mansour", "منصور", "mansour"),
    ("Nguyễn", "نغوين", "nguyen"),
    ("El-Sayed", "السيد", "elsayed"),
    ("Öztürk", "أوزتورك", "ozturk"),
    ("Saleh", "صالح", "saleh"),
    ("van der Berg", "فان دير بيرغ", "vanderberg"),
    ("Darwish", "درويش", "darwish"),
    ("Kowalczyk", "كوفالتشيك", "kowalczyk"),
    ("Nasser", "ناصر", "nasser"),
    ("Smith & Sons", "سميث", "smithsons"),
];

/// One person in this many has their Latin names replaced by the Arabic ones.
const ARABIC_EVERY: usize = 13;

/// The person of this number; the same for the same seed, whatever the number of people.
#[must_use]
pub fn person(seed: u64, number: usize) -> Person {
    let mixed = u64::try_from(number)
        .unwrap_or(u64::MAX)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut dice = StdRng::seed_from_u64(seed ^ mixed);
    let given = pick(&mut dice, &GIVEN);
    let family = pick(&mut dice, &FAMILY);
    let arabic = number % ARABIC_EVERY == ARABIC_EVERY - 1;
    let local = format!("{}.{}.{number}", given.2, family.2);
    Person {
        first_name: if arabic { given.1 } else { given.0 }.to_owned(),
        last_name: if arabic { family.1 } else { family.0 }.to_owned(),
        native_first_name: given.1,
        native_last_name: family.1,
        gender: given.3,
        academic_email: format!("{local}@students.college.example"),
        personal_email: format!("{local}@mail.example"),
    }
}

/// One entry of a list.
pub(super) fn pick<T: Copy + Default>(dice: &mut StdRng, from: &[T]) -> T {
    from.choose(dice).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn people_are_the_same_for_the_same_seed_and_differ_between_seeds() {
        assert_eq!(person(1, 42), person(1, 42));
        assert!((0..50).any(|number| person(1, number) != person(2, number)));
    }

    #[test]
    fn addresses_are_unique_lower_case_and_reserved() {
        let addresses: BTreeSet<String> = (0..2000).map(|n| person(3, n).academic_email).collect();

        assert_eq!(addresses.len(), 2000);
        for address in addresses {
            assert!(address.ends_with(".example"), "{address}");
            assert!(
                address.is_ascii() && address == address.to_lowercase(),
                "{address}"
            );
        }
    }

    #[test]
    fn names_hold_apostrophes_accents_and_arabic_script() {
        let names: String = (0..200)
            .map(|n| person(1, n))
            .map(|p| format!("{} {}\n", p.first_name, p.last_name))
            .collect();

        for expected in ['\'', 'ë', 'ş', 'ل', ' '] {
            assert!(
                names.to_lowercase().contains(expected),
                "no {expected} in the names"
            );
        }
    }
}
