using System.Security.Cryptography;
using System.Text;

namespace Orderwright.Cli.Import;

/// <summary>The Idempotency-Key of an import's request: the same in every run over the same file.</summary>
static class RequestKey
{
    // A digest, as a file's numbers may hold what a header must not.
    public static string Of(string importId, string what, string which) =>
        $"import-{importId}-{what}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(which)))[..32]}";
}
