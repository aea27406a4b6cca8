//! Zoho's data centres: the one table of its hosts.

use mzi_domain::Invalid;

/// Where an account lives; tokens of one data centre mean nothing to another.
///
/// The names are those of `ZOHO_REGION`. They are not always the suffix of the host, so hosts are
/// never built from them (contracts/zoho.md §1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataCentre {
    /// United States.
    Com,
    /// European Union.
    Eu,
    /// India.
    In,
    /// Australia.
    Au,
    /// Japan.
    Jp,
    /// Canada.
    Ca,
    /// Saudi Arabia.
    Sa,
    /// China.
    Cn,
    /// United Kingdom.
    Uk,
}

impl DataCentre {
    /// Every data centre, the most common first.
    pub const ALL: [Self; 9] = [
        Self::Com,
        Self::Eu,
        Self::In,
        Self::Au,
        Self::Jp,
        Self::Ca,
        Self::Sa,
        Self::Cn,
        Self::Uk,
    ];

    /// Reads a region's name in either case.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let wanted = raw.trim().to_ascii_lowercase();
        let mut all = Self::ALL.into_iter();
        all.find(|centre| centre.region() == wanted)
            .ok_or(Invalid::new(
                "Zoho region",
                "one of com, eu, in, au, jp, ca, sa, cn, uk",
            ))
    }

    /// The region's name.
    pub const fn region(self) -> &'static str {
        self.row().0
    }

    /// Where tokens are issued.
    pub const fn accounts_url(self) -> &'static str {
        self.row().1
    }

    /// Where the API answers, until a token answer says better.
    pub const fn api_url(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Com => (
                "com",
                "https://accounts.zoho.com",
                "https://www.zohoapis.com",
            ),
            Self::Eu => ("eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
            Self::In => ("in", "https://accounts.zoho.in", "https://www.zohoapis.in"),
            Self::Au => (
                "au",
                "https://accounts.zoho.com.au",
                "https://www.zohoapis.com.au",
            ),
            Self::Jp => ("jp", "https://accounts.zoho.jp", "https://www.zohoapis.jp"),
            Self::Ca => (
                "ca",
                "https://accounts.zohocloud.ca",
                "https://www.zohoapis.ca",
            ),
            Self::Sa => ("sa", "https://accounts.zoho.sa", "https://www.zohoapis.sa"),
            Self::Cn => (
                "cn",
                "https://accounts.zoho.com.cn",
                "https://www.zohoapis.com.cn",
            ),
            Self::Uk => ("uk", "https://accounts.zoho.uk", "https://www.zohoapis.uk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_is_read_by_its_name_and_has_safe_hosts() {
        for centre in DataCentre::ALL {
            assert_eq!(DataCentre::parse(centre.region()), Ok(centre));
            assert!(centre.accounts_url().starts_with("https://accounts.zoho"));
            assert!(centre.api_url().starts_with("https://www.zohoapis."));
        }
        assert_eq!(DataCentre::parse(" EU "), Ok(DataCentre::Eu));
        assert!(DataCentre::parse("com.example").is_err());
    }

    #[test]
    fn a_region_is_not_the_suffix_of_its_host() {
        assert_eq!(
            DataCentre::Au.accounts_url(),
            "https://accounts.zoho.com.au"
        );
        assert_eq!(
            DataCentre::Ca.accounts_url(),
            "https://accounts.zohocloud.ca"
        );
    }
}
