package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	// MinSecret is the least length of a shared secret in bytes: that of the smallest hash
	// (RFC 7518, section 3.2).
	MinSecret = 32
	// minRSA is the least size of an RSA key in bits (RFC 7518, section 3.3).
	minRSA = 2048
)

var hmacAlgorithms = []string{"HS256", "HS384", "HS512"}

// publicAlgorithms are the algorithms for public keys. The type of a key narrows them down.
var publicAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA",
}

// ParsePublicKey reads an RSA, ECDSA or Ed25519 public key in PEM, or a certificate that
// has one.
func ParsePublicKey(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the text has no PEM block; a public key starts with -----BEGIN PUBLIC KEY-----")
	}
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return cert.PublicKey, nil
	}
	return nil, fmt.Errorf("the PEM block is a %s; a PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE is needed", block.Type)
}

// algorithmsOf returns the algorithms that a public key may be used with.
func algorithmsOf(key crypto.PublicKey) ([]string, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA {
			return nil, fmt.Errorf("the RSA key has %d bits, at least %d are needed", bits, minRSA)
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, nil
	case *ecdsa.PublicKey:
		return curveAlgorithm(key.Curve.Params().BitSize)
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	}
	return nil, fmt.Errorf("keys of type %T are not supported; use RSA, ECDSA or Ed25519", key)
}

func curveAlgorithm(bits int) ([]string, error) {
	switch bits {
	case 256:
		return []string{"ES256"}, nil
	case 384:
		return []string{"ES384"}, nil
	case 521:
		return []string{"ES512"}, nil
	}
	return nil, fmt.Errorf("elliptic curves of %d bits are not supported; use P-256, P-384 or P-521", bits)
}
