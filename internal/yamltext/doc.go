// Package yamltext provides what readers and writers of YAML need beyond the parser: positions of
// errors, characters that a text must not contain, and words that versions of YAML read
// differently.
//
// It does not parse YAML; package go.yaml.in/yaml/v3 does.
package yamltext
