using System.Collections.Frozen;
using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>
/// Base addresses of the four services. In order of precedence: the service's own setting, such as
/// <c>ORDERWRIGHT_ORDER_URL</c>; the base address, for services in the coordinator's process; a port after the base address
/// (order +1, customer +2, stock +3).
/// </summary>
public sealed class ServiceAddresses
{
    /// <summary>The base address without a setting.</summary>
    public const string Default = "http://127.0.0.1:4000";

    static readonly (string Service, string Setting)[] Settings =
    [
        (ServiceNames.Coordinator, "URL"), (ServiceNames.Order, "ORDER_URL"), (ServiceNames.Customer, "CUSTOMER_URL"),
        (ServiceNames.Stock, "STOCK_URL"),
    ];

    readonly FrozenDictionary<string, Uri> addresses;

    ServiceAddresses(Dictionary<string, Uri> addresses) => this.addresses = addresses.ToFrozenDictionary();

    /// <param name="service">One of <see cref="ServiceNames"/>.</param>
    public Uri this[string service] => addresses[service];

    /// <summary>Picks a service of each process, for lists kept per process.</summary>
    public IReadOnlyList<string> Processes => [.. ServiceNames.All.DistinctBy(service => addresses[service])];

    /// <summary>The services run in more than one process.</summary>
    public bool IsDistributed => Processes.Count > 1;

    /// <summary>All four services in one process.</summary>
    public static ServiceAddresses Embedded(Uri address) => Of(address, ServiceNames.All, new Dictionary<string, Uri>());

    /// <param name="address">The base address.</param>
    /// <param name="embedded">Services in the process at the base address.</param>
    /// <param name="configured">Result of <see cref="ReadSettings"/>.</param>
    public static ServiceAddresses Of(
        Uri address, IEnumerable<string> embedded, IReadOnlyDictionary<string, Uri> configured)
    {
        var here = embedded.Append(ServiceNames.Coordinator).ToHashSet();
        return new(ServiceNames.All.ToDictionary(
            service => service,
            service => configured.TryGetValue(service, out var own) && service != ServiceNames.Coordinator ? own
                : here.Contains(service) ? address
                : new UriBuilder(address) { Port = address.Port + OffsetOf(service) }.Uri));
    }

    static int OffsetOf(string service) => Array.FindIndex(Settings, setting => setting.Service == service);

    /// <summary>
    /// Finds out which services run at the base address. Readiness lists the services for operators only; for other callers, an
    /// order list at the coordinator's address identifies a process with all services.
    /// </summary>
    /// <exception cref="ApiException">The base address is unreachable.</exception>
    public static async Task<ServiceAddresses> DiscoverAsync(
        HttpClient http, string? key, IReadOnlyDictionary<string, Uri> configured, CancellationToken cancel)
    {
        var address = configured.TryGetValue(ServiceNames.Coordinator, out var given) ? given : new Uri(Default);
        var probe = new ApiClient(http, Embedded(address), key);
        var ready = (await probe.GetHealthAsync(ServiceNames.Coordinator, cancel)).RequireReply();
        IEnumerable<string> embedded = ready.Body.Part("services") is { } named
            ? named.EnumerateObject().Select(service => service.Name)
            : (await probe.GetAsync(ServiceNames.Coordinator, "/orders?limit=1", cancel)).RequireReply().IsNotFound ? []
            : ServiceNames.All;
        return Of(address, embedded, configured);
    }

    /// <summary>Reads the configured addresses, by service; the coordinator's is the base address.</summary>
    /// <param name="setting">Looks up a setting by the name without <c>ORDERWRIGHT_</c>.</param>
    /// <exception cref="InvalidAddressException">A setting is not an absolute HTTP address.</exception>
    public static IReadOnlyDictionary<string, Uri> ReadSettings(Func<string, string?> setting)
    {
        var found = new Dictionary<string, Uri>();
        foreach (var (service, name) in Settings)
            if (setting(name) is { Length: > 0 } text)
                found[service] = Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
                    ? url
                    : throw new InvalidAddressException(name, text);
        return found;
    }

    /// <summary>Environment variable for a service's address.</summary>
    public static string SettingOf(string service) => $"ORDERWRIGHT_{Settings[OffsetOf(service)].Setting}";
}

/// <summary>Refusal of a malformed address in a setting.</summary>
/// <param name="setting">Name without <c>ORDERWRIGHT_</c>.</param>
/// <param name="value">The malformed value.</param>
public sealed class InvalidAddressException(string setting, string value) : Exception(
    $"ORDERWRIGHT_{setting} is \"{value}\". Allowed: http://HOST:PORT or https://HOST:PORT.")
{
    public string Setting { get; } = setting;

    public string Value { get; } = value;
}
