//go:build race

package lockorder

const race = true
