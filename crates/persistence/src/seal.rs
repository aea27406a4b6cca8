//! Sealing secrets: XChaCha20-Poly1305 under a key that is not in the database.

use std::{fs, io::Write, path::Path};

use base64::engine::{
    DecodePaddingMode, Engine,
    general_purpose::{GeneralPurpose, GeneralPurposeConfig},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretBox, SecretString};

const KEY: usize = 32;
const NONCE: usize = 24;
/// Tells the format; another one may come.
const VERSION: &str = "x1";

/// The key that seals secrets.
pub struct SealKey(SecretBox<[u8; KEY]>);

/// Why a key cannot be used or a seal not be opened. Never shows key, seal or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not 32 bytes in hex or base64.
    #[error("the secret key is not 32 bytes in hex or base64")]
    MalformedKey,
    /// The key file cannot be read or written.
    #[error("the key file cannot be {action}: {reason}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// What was seen.
        reason: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// Sealed under another key or for another name, or altered.
    #[error("the seal does not open with the present secret key")]
    DoesNotOpen,
}

impl SealKey {
    /// Uses these bytes.
    pub fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// Reads 32 bytes written as 64 hex digits or as base64, standard or URL-safe, padded or not.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let text = text.trim();
        let bytes = hex::decode(text).ok().or_else(|| from_base64(text));
        let bytes = bytes.and_then(|bytes| <[u8; KEY]>::try_from(bytes).ok());
        bytes.map(Self::from_bytes).ok_or(SealError::MalformedKey)
    }

    /// Reads the key from a file, or makes one there that only its owner can read.
    pub fn load_or_create(path: &Path) -> Result<Self, SealError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(file_error("read", &error)),
        }
    }

    fn create(path: &Path) -> Result<Self, SealError> {
        let bytes = random::<KEY>()?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            file.write_all(format!("{}\n", hex::encode(bytes)).as_bytes())?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(Self::from_bytes(bytes)),
            // Another process was quicker: its key is the key.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::load_or_create(path)
            }
            Err(error) => Err(file_error("written", &error)),
        }
    }

    /// Seals a secret for the place `name`; it opens nowhere else.
    pub(crate) fn seal(&self, name: &str, secret: &str) -> Result<String, SealError> {
        let nonce = random::<NONCE>()?;
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: name.as_bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .ok()
            .ok_or(SealError::DoesNotOpen)?;
        Ok(format!(
            "{VERSION}:{}{}",
            hex::encode(nonce),
            hex::encode(sealed)
        ))
    }

    /// Opens what was sealed for the place `name`.
    pub(crate) fn open(&self, name: &str, sealed: &str) -> Result<SecretString, SealError> {
        let opened = sealed
            .strip_prefix(VERSION)
            .and_then(|rest| rest.strip_prefix(':'))
            .and_then(|digits| hex::decode(digits).ok())
            .and_then(|bytes| {
                let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
                let nonce = <[u8; NONCE]>::try_from(nonce).ok()?;
                let payload = Payload {
                    msg: sealed,
                    aad: name.as_bytes(),
                };
                self.cipher().decrypt(&XNonce::from(nonce), payload).ok()
            })
            .and_then(|bytes| String::from_utf8(bytes).ok());
        opened.map(SecretString::from).ok_or(SealError::DoesNotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose_secret().into())
    }
}

fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .ok()
        .ok_or(SealError::NoRandomness)?;
    Ok(bytes)
}

fn file_error(action: &'static str, error: &std::io::Error) -> SealError {
    SealError::File {
        action,
        reason: error.kind().to_string(),
    }
}

/// Standard or URL-safe, padded or not.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    let standard = text.replace('-', "+").replace('_', "/");
    engine.decode(standard).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn key(text: &str) -> Result<SealKey, SealError> {
        SealKey::parse(text)
    }

    #[test]
    fn a_key_is_read_from_hex_and_from_base64() {
        let sealed = key(HEX).unwrap().seal("name", "secret").unwrap();
        for text in [BASE64, BASE64.trim_end_matches('='), &format!(" {HEX}\n")] {
            let opened = key(text).unwrap().open("name", &sealed).unwrap();
            assert_eq!(opened.expose_secret(), "secret");
        }
        for text in [
            "",
            "short",
            &HEX[2..],
            &format!("{HEX}00"),
            &HEX.replace('0', "x"),
        ] {
            assert_eq!(key(text).err(), Some(SealError::MalformedKey), "{text}");
        }
    }

    #[test]
    fn a_seal_opens_only_with_its_key_name_and_bytes() {
        let right = key(HEX).unwrap();
        let sealed = right.seal("zoho.refresh_token", "hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_ne!(sealed, right.seal("zoho.refresh_token", "hunter2").unwrap());

        let wrong = SealKey::from_bytes([7; 32]);
        let altered = format!("{}0", &sealed[..sealed.len() - 1]);
        let altered = if altered == sealed {
            format!("{}1", &sealed[..sealed.len() - 1])
        } else {
            altered
        };
        assert!(wrong.open("zoho.refresh_token", &sealed).is_err());
        assert!(right.open("zoho.client_secret", &sealed).is_err());
        for broken in [altered.as_str(), "", "x1:", "x1:00", "x2:00", "plain"] {
            assert!(
                right.open("zoho.refresh_token", broken).is_err(),
                "{broken}"
            );
        }
        let opened = right.open("zoho.refresh_token", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "hunter2");
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let sealed = SealKey::load_or_create(&path)
            .unwrap()
            .seal("n", "s")
            .unwrap();
        let again = SealKey::load_or_create(&path).unwrap();
        assert_eq!(again.open("n", &sealed).unwrap().expose_secret(), "s");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "not a key").unwrap();
        assert_eq!(
            SealKey::load_or_create(&path).err(),
            Some(SealError::MalformedKey)
        );
    }
}
