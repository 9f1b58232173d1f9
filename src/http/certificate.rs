//! Faults of secure connections in words: from the TLS library's error, and from the certificate that the server shows.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::{Proxy, Url};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, SignatureScheme};

/// What is wrong with a secure connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The port speaks something else.
    NoTls,
    /// Expired, or not valid yet. The date is that of this machine.
    Expired {
        today: Date,
    },
    /// The certificate has other names.
    Name,
    /// Its CA isn't trusted.
    Authority,
    SelfSigned,
    /// A CA's own certificate in place of one that it issued.
    IsAuthority,
    Other,
}

/// Why no secure connection was made. The text is a predicate: `shows a certificate …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insecure {
    pub flaw: Flaw,
    pub text: String,
}

impl Insecure {
    fn new(flaw: Flaw, text: impl Into<String>) -> Self {
        Self { flaw, text: text.into() }
    }

    /// A fault of TLS that the library tells by its text alone.
    pub(super) fn other(text: &str) -> Self {
        Self::new(Flaw::Other, format!("makes no secure connection: {text}"))
    }

    /// The fault that an error has among its reasons; none where it isn't one of TLS.
    pub(super) fn of(error: &(dyn Error + 'static), host: &str) -> Option<Self> {
        let error = tls_error(error)?;
        Some(match error {
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                Self::new(Flaw::NoTls, "doesn't speak TLS on this port")
            }
            rustls::Error::InvalidCertificate(certificate) => Self::of_certificate(certificate, host),
            other => Self::other(&other.to_string()),
        })
    }

    fn of_certificate(error: &CertificateError, host: &str) -> Self {
        match error {
            CertificateError::ExpiredContext { time, not_after } => {
                let (until, days) = (date(*not_after), time.as_secs().saturating_sub(not_after.as_secs()) / 86_400);
                let ago = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
                let text = format!("shows a certificate that expired on {until}, {ago} ago");
                Self::new(Flaw::Expired { today: date(*time) }, text)
            }
            CertificateError::NotValidYetContext { time, not_before } => {
                let text = format!("shows a certificate that isn't valid before {}", date(*not_before));
                Self::new(Flaw::Expired { today: date(*time) }, text)
            }
            CertificateError::Expired | CertificateError::NotValidYet => {
                let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
                Self::new(Flaw::Expired { today }, "shows a certificate that expired or isn't valid yet")
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names: Vec<String> = presented.iter().map(|name| bare(name)).collect();
                let text = match names.as_slice() {
                    [] => format!("shows a certificate without a name, not one for {host}"),
                    names => format!("shows a certificate for {}, not for {host}", names.join(", ")),
                };
                Self::new(Flaw::Name, text)
            }
            CertificateError::NotValidForName => {
                Self::new(Flaw::Name, format!("shows a certificate of another name, not for {host}"))
            }
            // A bad signature is mostly one by another CA of the same name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::new(Flaw::Authority, "shows a certificate of a CA that this machine doesn't trust")
            }
            other if other.to_string().contains("CaUsedAsEndEntity") => {
                Self::new(Flaw::IsAuthority, "shows the certificate of a CA in place of one for its own name")
            }
            other => Self::other(&other.to_string()),
        }
    }

    /// The same with the names in the certificate, if they could be read.
    pub(super) fn with_names(self, names: Option<Names>) -> Self {
        let Some(Names { issuer: Some(issuer), is_self_signed }) = names else { return self };
        match self.flaw {
            Flaw::Authority if is_self_signed => {
                Self::new(Flaw::SelfSigned, format!("shows a self-signed certificate (\"{issuer}\")"))
            }
            Flaw::Authority => {
                let text = format!("shows a certificate issued by \"{issuer}\", a CA that this machine doesn't trust");
                Self::new(Flaw::Authority, text)
            }
            Flaw::IsAuthority if is_self_signed => Self::new(
                Flaw::IsAuthority,
                format!("shows the self-signed certificate of the CA \"{issuer}\" in place of one for its own name"),
            ),
            _ => self,
        }
    }

    /// Whether the names in the certificate would say more.
    pub(super) fn wants_names(&self) -> bool {
        matches!(self.flaw, Flaw::Authority | Flaw::IsAuthority)
    }
}

/// The names in a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    issuer: Option<String>,
    is_self_signed: bool,
}

/// The names in the certificate that a server shows. The handshake is given up at the certificate, so nothing is sent to the
/// server; none if it shows none in time.
pub(super) async fn names(url: &Url, proxy: Option<Proxy>, longest: Duration) -> Option<Names> {
    let witness = Arc::new(Witness { provider: Arc::new(aws_lc_rs::default_provider()), shown: Mutex::default() });
    let config =
        ClientConfig::builder_with_provider(Arc::clone(&witness.provider)).with_safe_default_protocol_versions();
    // "Dangerous" is a verifier that accepts a certificate; this one accepts none.
    let verifier = Arc::clone(&witness) as Arc<dyn ServerCertVerifier>;
    let config = config.ok()?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(longest);
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy);
    }
    drop(builder.build().ok()?.head(url.origin().ascii_serialization()).send().await);
    let shown = witness.shown.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    names_in(&shown)
}

fn names_in(certificate: &[u8]) -> Option<Names> {
    let der = CertificateDer::from(certificate);
    let parsed = webpki::EndEntityCert::try_from(&der).ok()?;
    Some(Names { issuer: common_name(parsed.issuer()), is_self_signed: parsed.issuer() == parsed.subject() })
}

/// Keeps the certificate that it's shown, and accepts none.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Vec<u8>>>,
}

impl Witness {
    fn refusal() -> rustls::Error {
        rustls::Error::General("the certificate is only looked at".to_owned())
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        Err(Self::refusal())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(Self::refusal())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(Self::refusal())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The TLS library's error among the reasons of an error.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = |error: &'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
        Some(error.downcast_ref::<io::Error>()?.get_ref()?)
    };
    error.downcast_ref::<rustls::Error>().or_else(|| tls_error(wrapped(error)?)).or_else(|| tls_error(error.source()?))
}

fn date(time: UnixTime) -> Date {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)).date()
}

/// A name without the type that the library writes around it: `DnsName("a.example.com")`.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}

/// The object identifiers of a common name (2.5.4.3) and of an organization (2.5.4.10), in DER.
const NAMES: [&[u8]; 2] = [&[6, 3, 0x55, 4, 3], &[6, 3, 0x55, 4, 10]];

/// The common name in a distinguished name in DER, or else the organization.
fn common_name(name: &[u8]) -> Option<String> {
    NAMES.iter().find_map(|id| {
        let at = name.windows(id.len()).position(|window| window == *id)? + id.len();
        // A string of fewer than 128 bytes: its type, its length, its bytes.
        let length = usize::from(*name.get(at + 1)?);
        let bytes = name.get(at + 2..(at + 2).checked_add(length)?)?;
        Some(String::from_utf8_lossy(bytes).into_owned()).filter(|_| length < 128)
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new([format!("{name}.example.com")]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    #[test]
    fn the_issuer_of_a_certificate_is_named() {
        let key = KeyPair::generate().unwrap();
        let mut authority = params("Example Root CA");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = authority.self_signed(&key).unwrap();
        let issued = params("server").signed_by(&KeyPair::generate().unwrap(), &Issuer::new(authority, key)).unwrap();
        let names = |issuer: &str, is_self_signed| Names { issuer: Some(issuer.to_owned()), is_self_signed };
        assert_eq!(names_in(issued.der()), Some(names("Example Root CA", false)));
        assert_eq!(names_in(own.der()), Some(names("Example Root CA", true)));
        assert_eq!(names_in(b"no certificate"), None);
    }

    #[test]
    fn a_name_that_is_cut_is_none() {
        assert_eq!(common_name(&[6, 3, 0x55, 4, 3, 12, 5, b'a']), None);
        assert_eq!(common_name(&[6, 3, 0x55, 4, 3, 12]), None);
        assert_eq!(common_name(&[6, 3, 0x55, 4, 10, 12, 1, b'a']), Some("a".to_owned()));
    }

    #[test]
    fn dates_and_names_are_plain() {
        let after = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let expired = CertificateError::ExpiredContext { time: after(1_795_697_347), not_after: after(1_738_368_000) };
        let Insecure { flaw, text } = Insecure::of_certificate(&expired, "a.example.com");
        assert_eq!(text, "shows a certificate that expired on 2025-02-01, 663 days ago");
        assert_eq!(flaw, Flaw::Expired { today: jiff::civil::date(2026, 11, 26) });
        assert_eq!(bare("DnsName(\"a.example.com\")"), "a.example.com");
        assert_eq!(bare("IpAddress(127.0.0.1)"), "127.0.0.1");
    }
}
