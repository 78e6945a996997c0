//! TLS to the server: certificate and host name are always verified (`sslmode=verify-full`), with
//! the system's roots or those of `sslrootcert`.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio_postgres_rustls::MakeRustlsConnect;

/// A connector with the roots of the file, or of the system.
///
/// # Errors
/// What is wrong with the file, or with the system's roots.
pub(super) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(file) => {
            let fault = |cause: &dyn std::fmt::Display| format!("{}: {cause}", file.display());
            let found = CertificateDer::pem_file_iter(file).map_err(|cause| fault(&cause))?;
            for certificate in found {
                let certificate = certificate.map_err(|cause| fault(&cause))?;
                store.add(certificate).map_err(|cause| fault(&cause))?;
            }
            if store.is_empty() {
                return Err(fault(&"it holds no certificate"));
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err("the system has no root certificates; set sslrootcert".into());
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|cause| cause.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
