//! Secure connections: which certificates are taken, and what is said of others.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::sync::Arc;

use oktapieces_sandbox::company::Shape;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::faults::state;
use crate::support::Stage;

const SMALL: Shape = Shape::Generated { users: 5, groups: 2, members: 3, existing: 0.5, drift: 0.5, seed: 1 };
/// The key of each server's section before which `ca_file` is put.
const KEYS: [&str; 2] = ["token_env", "api_key_env"];

/// A CA of one's own.
pub struct Authority {
    pub pem: String,
    own: ServerConfig,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Example Root CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let own = config(certificate.der().clone(), &key);
        Self { pem: certificate.pem(), own, issuer: Issuer::new(params, key) }
    }

    /// What a server has that shows this CA's own certificate.
    pub fn itself(&self) -> ServerConfig {
        self.own.clone()
    }

    /// What a server of this name has, until the end of that year.
    pub fn server(&self, name: &str, until: i32) -> ServerConfig {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 12, 31));
        let key = KeyPair::generate().unwrap();
        config(CertificateDer::from(params.signed_by(&key, &self.issuer).unwrap()), &key)
    }
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()
}

/// Takes TLS connections and passes what comes through them on to a server; gives its own URL.
pub async fn front(config: ServerConfig, server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let (acceptor, server) = (TlsAcceptor::from(Arc::new(config)), server.trim_start_matches("http://").to_owned());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                // A client that doesn't like the certificate is gone by now.
                let Ok(mut secure) = acceptor.accept(stream).await else { return };
                let mut plain = TcpStream::connect(server).await.unwrap();
                drop(copy_bidirectional(&mut secure, &mut plain).await);
            });
        }
    });
    url
}

/// Both servers behind certificates like that.
async fn secured(stage: &Stage, authority: &Authority, name: &str, until: i32) {
    for url in [stage.sandbox.okta_url(), stage.sandbox.activepieces_url()] {
        let front = front(authority.server(name, until), &url).await;
        stage.reconfigure(&url, &front);
    }
}

fn trust(stage: &Stage, authority: &Authority) {
    std::fs::write(stage.folder().join("ca.pem"), &authority.pem).unwrap();
    for key in KEYS {
        stage.reconfigure(&format!("\n{key}"), &format!("\nca_file = \"ca.pem\"\n{key}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_ca_is_trusted_through_its_file_and_not_without() {
    let (stage, plain, authority) = (Stage::of(SMALL).await, Stage::of(SMALL).await, Authority::new());
    secured(&stage, &authority, "127.0.0.1", 2090).await;
    let before = state(&stage);
    let refused = stage.run(&["apply", "--yes"]).await;
    assert_eq!((refused.code, refused.stdout.as_str(), state(&stage)), (1, "", before), "{refused:#?}");
    let text = &refused.stderr;
    assert!(text.contains("issued by \"Example Root CA\"") && text.contains(".ca_file`"), "{refused:#?}");
    trust(&stage, &authority);
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    assert_eq!(plain.run(&["apply", "--yes"]).await.code, 0);
    assert_eq!(state(&stage), state(&plain));
    // The file of another CA is as good as none.
    std::fs::write(stage.folder().join("ca.pem"), Authority::new().pem).unwrap();
    let refused = stage.run(&["plan"]).await;
    assert!(refused.code == 1 && refused.stderr.contains("[certificate_authority]"), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_name_or_that_expired_is_never_taken() {
    for (name, until, why) in [
        ("elsewhere.example.com", 2090, "elsewhere.example.com, not for"),
        ("127.0.0.1", 2021, "expired on 2021-12-31"),
    ] {
        let (stage, authority) = (Stage::of(SMALL).await, Authority::new());
        secured(&stage, &authority, name, until).await;
        trust(&stage, &authority);
        let before = state(&stage);
        let refused = stage.run(&["apply", "--yes"]).await;
        assert_eq!((refused.code, refused.stdout.as_str(), state(&stage)), (1, "", before), "{name}: {refused:#?}");
        let text = &refused.stderr;
        assert!(text.contains("shows a certificate") && text.contains(why), "{why}: {refused:#?}");
        assert_eq!(stage.sandbox.okta_traffic().total() + stage.sandbox.activepieces_traffic().total(), 0);
    }
}
