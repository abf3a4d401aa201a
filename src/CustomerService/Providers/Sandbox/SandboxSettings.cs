using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Providers.Sandbox;

/// <summary>
/// Settings of the sandbox. It takes orders for no money at all: where others than this machine can reach the
/// service, it is there only when asked for.
/// </summary>
public sealed class SandboxSettings
{
    /// <summary>Whether orders may be paid by the sandbox. Default: on a loopback address only.</summary>
    public bool Sandbox { get; set; }

    /// <summary>
    /// Signs its webhooks; at least 16 characters. Default, on a loopback address only: a new random one per
    /// start.
    /// </summary>
    public string SandboxSecret { get; set; } = "";

    /// <summary>How long <c>tok_slow</c> takes. 0 to 60 s; default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan SandboxSlow { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long it holds money; then a capture is declined. 0 (default): for ever.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "90.00:00:00")]
    public TimeSpan SandboxHolds { get; set; }

    public byte[] Secret { get; private set; } = [];

    /// <summary>Throws <see cref="InvalidSettingException"/> for what cannot be.</summary>
    public static SandboxSettings Read(IConfiguration configuration)
    {
        var onLoopback = OnLoopback(configuration["Listen"]);
        var settings = configuration.Bind<SandboxSettings>();
        if (configuration["Sandbox"] is not { Length: > 0 }) settings.Sandbox = onLoopback;
        settings.Secret = settings.SandboxSecret.Length == 0 && (onLoopback || !settings.Sandbox)
            ? RandomNumberGenerator.GetBytes(32)
            : settings.SandboxSecret.Length >= 16
                ? Encoding.UTF8.GetBytes(settings.SandboxSecret)
                : throw new InvalidSettingException(
                    $"{Settings.Prefix}SANDBOX_SECRET has {settings.SandboxSecret.Length} characters. Allowed: " +
                    "16 or more; none only on a loopback address.");
        return settings;
    }

    static bool OnLoopback(string? listen) =>
        listen is not { Length: > 0 }
        || (Uri.TryCreate(listen, UriKind.Absolute, out var address) && address.IsLoopback);
}
