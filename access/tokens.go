package access

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/caddy-realtime/caddy-realtime/auth"
	"github.com/caddy-realtime/caddy-realtime/config"
	"github.com/caddy-realtime/caddy-realtime/internal/block"
	"github.com/caddy-realtime/caddy-realtime/internal/renew"
)

// tokenKeys has the secrets or public keys of a `token` block. It reads them again while
// they are in use, because a file may change.
type tokenKeys struct {
	// Static.
	config *config.Token
	read   config.ReadFile
	log    *slog.Logger

	gate renew.Gate
	said complaint
	// texts are what the keys were made from. They are touched by load before the keys are
	// in use, and by the one goroutine that the gate lets in afterwards.
	texts [][]byte
}

// inFiles reports whether keys are in files, which may change.
func inFiles(c *config.Token) bool {
	return len(c.PublicKey) > 0 || slices.ContainsFunc(c.HMAC, block.InFile)
}

// load reads the keys.
func (k *tokenKeys) load() (auth.Keys, error) {
	texts, err := keyTexts(k.config, k.read)
	if err != nil {
		return auth.Keys{}, err
	}
	keys, err := parseKeys(k.config, texts)
	if err == nil {
		k.texts = texts
	}
	return keys, err
}

// renew replaces the keys of a verifier if their files have changed. Files that can not be
// used, perhaps because they are being written, leave the keys as they are.
func (k *tokenKeys) renew(v *auth.Verifier) {
	k.gate.Look(func() error {
		err := k.compare(v)
		if k.said.isNew(err) {
			k.log.Warn("the keys of 'token' can not be read again; those from before stay in force", "error", err)
		}
		return err
	})
}

// compare replaces the keys if their texts differ.
func (k *tokenKeys) compare(v *auth.Verifier) error {
	texts, err := keyTexts(k.config, k.read)
	if err != nil || slices.EqualFunc(texts, k.texts, bytes.Equal) {
		return err
	}
	keys, err := parseKeys(k.config, texts)
	if err != nil {
		return err
	}
	if err := v.Replace(keys); err != nil {
		return err
	}
	k.texts = texts
	k.log.Info("the keys of 'token' have changed and are in force")
	return nil
}

// keyTexts resolves the secrets, or reads the files of the public keys.
func keyTexts(c *config.Token, read config.ReadFile) (texts [][]byte, err error) {
	for i, secret := range c.HMAC {
		text, err := resolveKey(secret)
		if err != nil {
			return nil, block.Locate(secret, fmt.Errorf("hmac: secret %d: %w", i+1, err))
		}
		texts = append(texts, []byte(text))
	}
	for i, name := range c.PublicKey {
		path, err := resolveKey(name)
		if err != nil {
			return nil, block.Locate(name, fmt.Errorf("public_key: file %d: %w", i+1, err))
		}
		text, err := read(path)
		if err != nil {
			return nil, block.Locate(name, fmt.Errorf("public_key: %w", err))
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// parseKeys makes keys of the texts, and checks them.
func parseKeys(c *config.Token, texts [][]byte) (keys auth.Keys, err error) {
	if len(c.HMAC) > 0 {
		keys.Secrets = texts
		return keys, keys.Check()
	}
	for i, text := range texts {
		key, err := auth.ParsePublicKey(text)
		if err != nil {
			return auth.Keys{}, block.Locate(c.PublicKey[i], fmt.Errorf("public_key: %s: %w", c.PublicKey[i], err))
		}
		keys.Public = append(keys.Public, key)
	}
	return keys, keys.Check()
}

// complaint is the last error that was logged about something that fails again and again.
// The goroutine that a [renew.Gate] lets in owns it.
type complaint struct{ text string }

// isNew reports whether there is an error and it differs from the last one.
func (c *complaint) isNew(err error) bool {
	text := ""
	if err != nil {
		text = err.Error()
	}
	again := text == c.text
	c.text = text
	return !again && err != nil
}

// newVerifier returns the verifier of a `token` block, which is not started. It notices
// when files with keys change, and logs that.
func newVerifier(c *config.Token, read config.ReadFile, log *slog.Logger) (v *auth.Verifier, err error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	a := auth.Config{Leeway: time.Duration(c.Leeway)}
	for name, o := range map[string]struct{ from, to *string }{
		"jwks": {&c.JWKS, &a.JWKS}, "issuer": {&c.Issuer, &a.Issuer}, "audience": {&c.Audience, &a.Audience},
	} {
		if *o.to, err = resolveKey(*o.from); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if c.JWKS != "" {
		return auth.New(a)
	}
	files := &tokenKeys{config: c, read: read, log: log}
	if a.Keys, err = files.load(); err != nil {
		return nil, err
	}
	if inFiles(c) {
		a.Before = func() { files.renew(v) }
	}
	v, err = auth.New(a)
	return v, err
}

// resolveKey resolves the placeholders of a text; the empty one stays empty. The error
// names the placeholder, not its value.
func resolveKey(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return block.Resolve(text)
}

// inTheClear reports whether a secret stands in the configuration itself.
func inTheClear(c *config.Token) bool {
	return slices.ContainsFunc(c.HMAC, block.InTheClear)
}
