using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService;

/// <summary>
/// Capture policy: the default, and overrides per merchant. An order keeps the policy under which the order was placed.
/// Settings: <c>ORDERWRIGHT_{NAME}</c>.
/// </summary>
public sealed class CaptureSettings
{
    /// <summary>Default policy: <c>confirmation</c> (default) or <c>fulfilment</c>; see <see cref="CapturePolicies"/>.</summary>
    public string Capture { get; set; } = CapturePolicies.Confirmation;

    /// <summary>Overrides per merchant: <c>acme=fulfilment,beta=confirmation</c>. Default none.</summary>
    public string CaptureMerchants { get; set; } = "";

    readonly Dictionary<string, string> overrides = new(StringComparer.Ordinal);

    /// <summary>Reads the settings. Throws <see cref="InvalidSettingException"/> for invalid values.</summary>
    public static CaptureSettings Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<CaptureSettings>();
        if (!IsPolicy(settings.Capture))
            throw new InvalidSettingException("CAPTURE", settings.Capture, Policies);
        foreach (var pair in settings.CaptureMerchants.Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            if (pair.Split('=') is not [{ Length: > 0 } merchant, var policy] || !IsPolicy(policy)
                || !settings.overrides.TryAdd(merchant, policy))
                throw new InvalidSettingException(
                    "CAPTURE_MERCHANTS", settings.CaptureMerchants,
                    $"MERCHANT=POLICY, separated by commas, each merchant once, where a policy is {Policies}");
        return settings;
    }

    public bool IsOnFulfilment(string merchant) =>
        (overrides.GetValueOrDefault(merchant) ?? Capture) == CapturePolicies.Fulfilment;

    const string Policies = $"{CapturePolicies.Confirmation} or {CapturePolicies.Fulfilment}";

    static bool IsPolicy(string policy) => policy is CapturePolicies.Confirmation or CapturePolicies.Fulfilment;
}
