using System.Security.Cryptography;
using System.Text;

namespace Orderwright.Cli.Import;

/// <summary>Idempotency-Keys of an import's requests, equal in every run over the same file.</summary>
static class RequestKey
{
    // A digest, because identifiers in files may contain characters that are not allowed in headers.
    public static string Of(string importId, string purpose, string subject) =>
        $"import-{importId}-{purpose}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(subject)))[..32]}";
}
