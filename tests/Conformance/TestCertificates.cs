using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orderwright.Conformance;

/// <summary>
/// An authority and a server certificate for 127.0.0.1 as PEM files, and another authority that has issued nothing.
/// </summary>
sealed class TestCertificates
{
    TestCertificates(string directory) => this.directory = directory;

    readonly string directory;

    public string Authority => Path.Combine(directory, "authority.pem");

    public string OtherAuthority => Path.Combine(directory, "other.pem");

    public string Server => Path.Combine(directory, "server.pem");

    public string ServerKey => Path.Combine(directory, "server.key");

    public static TestCertificates Write(string directory)
    {
        Directory.CreateDirectory(directory);
        var files = new TestCertificates(directory);
        using var authority = NewAuthority("authority");
        using var other = NewAuthority("other");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var server = request.Create(authority, authority.NotBefore, authority.NotAfter, [1, 2, 3, 4]);
        File.WriteAllText(files.Authority, authority.ExportCertificatePem());
        File.WriteAllText(files.OtherAuthority, other.ExportCertificatePem());
        File.WriteAllText(files.Server, server.ExportCertificatePem());
        File.WriteAllText(files.ServerKey, key.ExportPkcs8PrivateKeyPem());
        // PostgreSQL refuses a key that others can read.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(files.ServerKey, UnixFileMode.UserRead);
        return files;
    }

    static X509Certificate2 NewAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(7));
    }
}
