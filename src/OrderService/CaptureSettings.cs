using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Capture policy: the default, and overrides per channel. An order keeps the policy under which the order was placed.
/// Settings: <c>ORDERWRIGHT_{NAME}</c>.
/// </summary>
public sealed class CaptureSettings
{
    /// <summary>Default policy: <c>confirmation</c> or <c>fulfilment</c>; see <see cref="CapturePolicies"/>.</summary>
    public string Capture { get; set; } = CapturePolicies.Confirmation;

    /// <summary>Overrides per channel: <c>acme=fulfilment,beta=confirmation</c>.</summary>
    public string CaptureChannels { get; set; } = "";

    /// <summary>Former name of <c>ORDERWRIGHT_CAPTURE_CHANNELS</c>, still read; not both.</summary>
    public string CaptureMerchants { get; set; } = "";

    readonly Dictionary<string, string> overrides = new(StringComparer.Ordinal);

    /// <summary>Reads the settings. Throws <see cref="InvalidSettingException"/> for invalid values.</summary>
    public static CaptureSettings Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<CaptureSettings>();
        if (!IsPolicy(settings.Capture))
            throw new InvalidSettingException("CAPTURE", settings.Capture, Policies);
        if (settings.CaptureMerchants.Length > 0 && settings.CaptureChannels.Length > 0)
            throw new InvalidSettingException(
                "CAPTURE_MERCHANTS", settings.CaptureMerchants, "only ORDERWRIGHT_CAPTURE_CHANNELS, its present name");
        var (name, value) = settings.CaptureMerchants.Length > 0
            ? ("CAPTURE_MERCHANTS", settings.CaptureMerchants) : ("CAPTURE_CHANNELS", settings.CaptureChannels);
        foreach (var pair in value.Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            if (pair.Split('=') is not [{ Length: > 0 } channel, var policy] || !IsPolicy(policy)
                || !settings.overrides.TryAdd(channel, policy))
                throw new InvalidSettingException(
                    name, value, $"CHANNEL=POLICY, separated by commas, each channel once, where a policy is {Policies}");
        return settings;
    }

    public bool IsOnFulfilment(string channel) =>
        (overrides.GetValueOrDefault(channel) ?? Capture) == CapturePolicies.Fulfilment;

    const string Policies = $"{CapturePolicies.Confirmation} or {CapturePolicies.Fulfilment}";

    static bool IsPolicy(string policy) => policy is CapturePolicies.Confirmation or CapturePolicies.Fulfilment;
}
