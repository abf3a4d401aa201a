using System.Text.Json;
using System.Text.Json.Nodes;
using Orderwright.Client;
using Orderwright.Http;
using Orderwright.Http.Approvals;
using Orderwright.Http.Operators;
using Orderwright.Runtime;

namespace Orderwright.OperatorConsole;

/// <summary>Opens the services' APIs for visitors. The base address is this process.</summary>
sealed class Apis(SiteContext context)
{
    static readonly HttpClient Http = ApiClient.NewHttp(TimeSpan.FromSeconds(5));

    readonly IReadOnlyDictionary<string, Uri> configured = Configured(context);
    ServiceAddresses? addresses;

    /// <summary>Creates a visitor's access to the APIs.</summary>
    /// <param name="key">The visitor's API key; null where the server needs none.</param>
    /// <param name="cancel">Cancelled when the visitor disconnects.</param>
    public Api As(string? key, CancellationToken cancel) => new(Client(key), cancel);

    /// <summary>Creates the client behind <see cref="As"/>.</summary>
    // Reads the address late: the address is unknown until the server listens.
    public ApiClient Client(string? key) => new(
        Http, addresses ??= ServiceAddresses.Of(context.Address(), context.Services, configured), key);

    static IReadOnlyDictionary<string, Uri> Configured(SiteContext context)
    {
        var settings = context.Configuration.Bind<ServiceUrlSettings>();
        try
        {
            return ServiceAddresses.ReadSettings(name => name switch
            {
                "ORDER_URL" => settings.OrderUrl,
                "CUSTOMER_URL" => settings.CustomerUrl,
                "STOCK_URL" => settings.StockUrl,
                _ => null,
            });
        }
        catch (InvalidAddressException error)
        {
            throw new InvalidSettingException(error.Setting, error.Value, "an address such as http://order-service:4001");
        }
    }
}

/// <summary>The services' APIs, called as a visitor until the visitor disconnects.</summary>
public sealed class Api(ApiClient client, CancellationToken cancel)
{
    static readonly ListOrder DeadLetters = new(
        letter => DeadLetterResponse.PositionOf(letter.Time("failedAt")!.Value, IdOf(letter)), Cursor.Write);

    static readonly ListOrder Audit = new(entry => AuditEntry.PositionOf(IdOf(entry)), Cursor.Write);

    static readonly ListOrder Approvals = new(approval => Approval.PositionOf(IdOf(approval)), Cursor.Write);

    readonly List<(string Service, string Call)> calls = [];

    /// <summary>Calls so far, in the order of their replies; each once.</summary>
    public IReadOnlyList<(string Service, string Call)> Calls
    {
        get
        {
            lock (calls) return [.. calls.Distinct()];
        }
    }

    /// <summary>The services run in several processes.</summary>
    public bool IsDistributed => client.Addresses.IsDistributed;

    /// <summary>Address of a service, without a path.</summary>
    public string AddressOf(string service) => client.Addresses[service].GetLeftPart(UriPartial.Authority);

    public Task<ApiReply> GetAsync(string service, string path) => Noted(service, client.GetAsync(service, path, cancel));

    /// <summary>Readiness of a service.</summary>
    public Task<ApiReply> GetHealthAsync(string service) => Noted(service, client.GetHealthAsync(service, cancel));

    public Task<ApiReply> PostAsync(string service, string path, JsonObject body) =>
        Noted(service, client.PostAsync(service, path, body, cancel));

    public Task<ApiReply> SendAsync(
        HttpMethod method, string service, string path, JsonObject? body, string? idempotencyKey) =>
        client.SendAsync(method, service, path, cancel, body, idempotencyKey);

    /// <summary>Dead letters of all services, or of one.</summary>
    /// <param name="query">With its question mark; empty for all.</param>
    /// <param name="service">Null for all services.</param>
    public Task<MergedList> ListDeadLettersAsync(string query, string? service = null) =>
        ListEverywhereAsync($"/dead-letters{query}", DeadLetters, service);

    /// <summary>Audited actions of operators at all services, or at one.</summary>
    /// <inheritdoc cref="ListDeadLettersAsync"/>
    public Task<MergedList> ListAuditAsync(string query, string? service = null) =>
        ListEverywhereAsync($"/audit{query}", Audit, service);

    /// <summary>Operations that wait for a second person, or waited, at all services.</summary>
    /// <param name="query">With its question mark; empty for all.</param>
    public Task<MergedList> ListApprovalsAsync(string query) =>
        ListEverywhereAsync($"/approvals{query}", Approvals);

    async Task<MergedList> ListEverywhereAsync(string path, ListOrder order, string? service = null)
    {
        var list = await client.ListEverywhereAsync(path, order, ListQuery.DefaultLimit, cancel, service);
        foreach (var page in list.Each) Note(page.Service, page.Reply);
        return list;
    }

    async Task<ApiReply> Noted(string service, Task<ApiReply> call)
    {
        var reply = await call;
        Note(service, reply);
        return reply;
    }

    void Note(string service, ApiReply reply)
    {
        lock (calls) calls.Add((service, reply.Call));
    }

    static Guid IdOf(JsonElement item) => item.GetProperty("id").GetGuid();
}
