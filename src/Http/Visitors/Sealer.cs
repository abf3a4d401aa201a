using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Orderwright.Runtime;

namespace Orderwright.Http.Visitors;

/// <summary>
/// Seals small values for cookies and for the console's calls to other services, by AES-256-GCM. A value opens only for the
/// purpose it was sealed for, at every process with the same secret. Safe for concurrent use.
/// </summary>
/// <param name="secrets">Secrets of 32 or more bytes: the first seals, and all open.</param>
public sealed class Sealer(IReadOnlyList<byte[]> secrets)
{
    const int SecretBytes = 32;
    const int NonceBytes = 12;
    const int TagBytes = 16;
    const int HeadBytes = NonceBytes + TagBytes;

    // Of each secret by purpose.
    readonly ConcurrentDictionary<string, byte[][]> keys = new();

    /// <summary>A sealer that no other process shares.</summary>
    public static Sealer OfThisProcess() => new([RandomNumberGenerator.GetBytes(SecretBytes)]);

    /// <summary>
    /// Reads a file with a secret in base64 on each line. Throws <see cref="InvalidSettingException"/> for an unusable file.
    /// </summary>
    public static Sealer Read(string path)
    {
        try
        {
            var secrets = File.ReadAllLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)
                .Select(Convert.FromBase64String).ToList();
            if (secrets.Count == 0) throw new FormatException("it is empty");
            if (secrets.Exists(secret => secret.Length < SecretBytes))
                throw new FormatException($"a secret has less than {SecretBytes} bytes");
            return new(secrets);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new InvalidSettingException(
                $"{Settings.Prefix}SESSION_KEY is \"{path}\", which cannot be read: {error.Message.TrimEnd('.')}. " +
                "Allowed: a file with 32 random bytes in base64, as written by openssl rand -base64 32.");
        }
    }

    public string Seal(string purpose, ReadOnlySpan<byte> plain)
    {
        // Nonce, tag, text.
        var bytes = new byte[HeadBytes + plain.Length];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, NonceBytes));
        using var cipher = new AesGcm(KeysOf(purpose)[0], TagBytes);
        cipher.Encrypt(
            bytes.AsSpan(0, NonceBytes), plain, bytes.AsSpan(HeadBytes), bytes.AsSpan(NonceBytes, TagBytes));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Opens a sealed value; null if changed, sealed elsewhere, or for another purpose.</summary>
    public byte[]? Open(string purpose, ReadOnlySpan<char> text)
    {
        if (!Base64Url.IsValid(text, out var length) || length < HeadBytes) return null;
        var bytes = Base64Url.DecodeFromChars(text);
        var plain = new byte[bytes.Length - HeadBytes];
        foreach (var key in KeysOf(purpose))
        {
            using var cipher = new AesGcm(key, TagBytes);
            try
            {
                cipher.Decrypt(
                    bytes.AsSpan(0, NonceBytes), bytes.AsSpan(HeadBytes), bytes.AsSpan(NonceBytes, TagBytes), plain);
                return plain;
            }
            catch (AuthenticationTagMismatchException)
            {
                // Perhaps sealed by a former secret.
            }
        }
        return null;
    }

    byte[][] KeysOf(string purpose) => keys.GetOrAdd(
        purpose,
        name => [.. secrets.Select(secret => HKDF.DeriveKey(
            HashAlgorithmName.SHA256, secret, SecretBytes, info: Encoding.UTF8.GetBytes(name)))]);
}
