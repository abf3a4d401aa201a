using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>
/// Settings of the sandbox. Orders paid by the sandbox cost nothing, so a service reachable from other machines offers the
/// sandbox only on request.
/// </summary>
public sealed class SandboxSettings
{
    /// <summary>Allows orders to be paid by the sandbox. Default: on a loopback address only.</summary>
    public bool Sandbox { get; set; }

    /// <summary>
    /// Secret that signs the sandbox's webhooks; at least 16 characters. Default, on a loopback address only: a new random
    /// secret at each start.
    /// </summary>
    public string SandboxSecret { get; set; } = "";

    /// <summary>Duration of an authorization with <c>tok_slow</c>. 0 to 60 s; default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan SandboxSlow { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Lifetime of the sandbox's authorizations; later captures are declined. 0 (default): unlimited.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "90.00:00:00")]
    public TimeSpan SandboxHolds { get; set; }

    public byte[] Secret { get; private set; } = [];

    /// <summary>Reads the settings. Throws <see cref="InvalidSettingException"/> for an invalid value.</summary>
    public static SandboxSettings Read(IConfiguration configuration)
    {
        var onLoopback = OnLoopback(configuration["Listen"]);
        var settings = configuration.Bind<SandboxSettings>();
        if (configuration["Sandbox"] is not { Length: > 0 }) settings.Sandbox = onLoopback;
        settings.Secret = settings.SandboxSecret.Length == 0 && (onLoopback || !settings.Sandbox)
            ? RandomNumberGenerator.GetBytes(32)
            : settings.SandboxSecret.Length >= Signature.MinimumSecretLength
                ? Encoding.UTF8.GetBytes(settings.SandboxSecret)
                : throw new InvalidSettingException(
                    $"{Settings.Prefix}SANDBOX_SECRET has {settings.SandboxSecret.Length} characters. Allowed: " +
                    $"{Signature.MinimumSecretLength} or more; no secret on a loopback address only.");
        return settings;
    }

    static bool OnLoopback(string? listen) =>
        listen is not { Length: > 0 }
        || (Uri.TryCreate(listen, UriKind.Absolute, out var address) && address.IsLoopback);
}
