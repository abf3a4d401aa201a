using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.Hosting.Keys;
using Orderwright.Http;
using Orderwright.Http.Visitors;
using Orderwright.OperatorConsole;

namespace Orderwright.EndToEnd;

/// <summary>
/// Every operation and page by every kind of caller, over HTTP, against <c>access-matrix.txt</c>, and by every role and
/// narrow scope against <c>access-matrix-roles.txt</c>. The operations come from the
/// OpenAPI document, the pages from the console's own routes: a route without a line fails, and so does a line without a
/// route.
/// </summary>
public sealed class AccessMatrixTests : IAsyncLifetime
{
    // Files with expected answers, each with its columns in order.
    static readonly Dictionary<string, string[]> Files = new()
    {
        ["access-matrix.txt"] =
        [
            "none", "malformed", "unknown", "expired", "revoked", Scopes.Orders, Scopes.OrdersPrice, Scopes.Stock,
            Scopes.Customers, Scopes.Credit, Scopes.Payments, Scopes.Operator, Scopes.Metrics, "all", "channel",
        ],
        ["access-matrix-roles.txt"] =
        [
            .. Roles.All.Select(RoleKey), Scopes.OrdersRead, Scopes.OrdersCancel, Scopes.OrdersShip, Scopes.StockRead,
            Scopes.CustomersRead, Scopes.CreditRead, Scopes.PaymentsRefund, Scopes.PaymentsWrite, Scopes.Reconcile,
            Scopes.OperatorRead, Scopes.Approvals, Scopes.ApprovalsRead,
        ],
    };

    // Routes of the host that the document does not describe.
    static readonly (string Method, string Route)[] OfHost =
        [("GET", "/openapi/v1.json"), ("GET", "/swagger/index.html"), ("GET", "/no/such/path")];

    // Values of route parameters. Anything else is a random UUID, which exists nowhere.
    static readonly Dictionary<string, string> Values = new()
    {
        ["sku"] = "NONE", ["provider"] = "nobody", ["name"] = "decline",
        ["/api/v1/customers/{id}"] = "nobody", ["/stock/{id}"] = "NONE", ["/services/{id}"] = ServiceNames.Stock,
    };

    // Routes about the order of the channel "main", which another channel does not see.
    static readonly string[] OfOrder =
        ["/api/v1/orders/{id}", "/api/v1/sagas/{orderId}", "/api/v1/payments/{id}", "/orders/{id}", "/api/v1/incidents"];

    // Bodies that an admitted caller's operation accepts, where an empty object would hide who owns the order.
    static readonly Dictionary<string, string> Bodies = new()
    {
        ["/api/v1/orders/{id}/cancel"] = """{"reason":"customer"}""",
        ["/api/v1/orders/{id}/cancel/preview"] = """{"reason":"customer"}""",
        ["/api/v1/orders/{id}/fulfilments"] = "{}",
        ["/api/v1/orders/{id}"] = """{"status":"completed"}""",
    };

    readonly string directory = HttpHost.NewDirectory();
    readonly Dictionary<string, string?> keys = [];
    HttpHost host = null!;
    string order = "";

    string FileOfKeys => Path.Combine(directory, "keys.json");

    public async ValueTask InitializeAsync()
    {
        foreach (var scope in Scopes.All) keys[scope] = Add(scope, scope);
        foreach (var role in Roles.All)
            keys[RoleKey(role)] = KeyFile.Add(
                FileOfKeys, role, [], DateTimeOffset.UtcNow, channels: [ChannelSet.Any], roles: [role]);
        keys["none"] = null;
        keys["malformed"] = "nonsense";
        keys["all"] = KeyFile.Add(
            FileOfKeys, "all", [.. Scopes.All], DateTimeOffset.UtcNow, channels: [ChannelSet.Any]);
        keys["channel"] = KeyFile.Add(
            FileOfKeys, "channel", [.. Scopes.All], DateTimeOffset.UtcNow, channels: ["another"]);
        keys["unknown"] = keys["all"]![..^2] + (keys["all"]!.EndsWith("AA", StringComparison.Ordinal) ? "BB" : "AA");
        keys["revoked"] = Add("revoked", [.. Scopes.All]);
        KeyFile.Revoke(FileOfKeys, keys["revoked"]!.Split('_')[1], DateTimeOffset.UtcNow);
        keys["expired"] = KeyFile.Add(
            FileOfKeys, "expired", [.. Scopes.All], DateTimeOffset.UtcNow.AddDays(-2), TimeSpan.FromDays(1));
        host = await HttpHost.StartAsync(
            null, "--keys", FileOfKeys, "--wrong-key-rate", "1000000", "--address-rate", "1000000");
        // Rejected at once, so that no call changes the order.
        order = (string)(await host.Client.PostAsync(
            "/api/v1/orders", """{"customerId":"nobody","currency":"GBP","lines":[{"sku":"NONE","quantity":1}]}""",
            Bearer(keys["all"]!), ("Prefer", "wait=30"))).Json["id"]!;
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData("access-matrix.txt")]
    [InlineData("access-matrix-roles.txt")]
    public async Task Every_caller_gets_the_expected_answer_to_every_operation_and_page(string file)
    {
        var (lines, callers) = (Lines(file), Files[file]);
        var document = await host.Client.AskAsync("/openapi/v1.json", Bearer(keys["all"]!));
        var operations = Operations(document.Json).Concat(OfHost).Concat(Routes(isPage: false)).ToList();
        // Signing out is last, because the visitor is gone afterwards.
        var pages = Routes(isPage: true).OrderBy(page => page.Route == "/logout").ToList();
        var found = new List<string>();
        foreach (var (method, route) in operations)
            found.Add(await LineAsync(callers, method, route, caller => CallAsync(method, route, keys[caller])));

        var visitors = new Dictionary<string, ConsoleVisitor>();
        foreach (var caller in callers)
            visitors[caller] = await ConsoleVisitor.SignInAsync(host.Url, keys[caller] ?? "");
        foreach (var (method, route) in pages)
            found.Add(await LineAsync(
                callers, method, route, caller => VisitAsync(method, route, keys[caller], visitors[caller])));
        foreach (var visitor in visitors.Values) visitor.Dispose();

        var differences = found.Except(lines).Select(line => $"is:        {line}")
            .Concat(lines.Except(found).Select(line => $"expected:  {line}"))
            .OrderBy(line => line[11..].Split(' ')[1], StringComparer.Ordinal).ToList();
        Console.WriteLine(
            $"The access matrix: {operations.Count} operations, {pages.Count} pages and forms, {callers.Length} callers, " +
            $"{found.Count * callers.Length} requests.");
        Assert.True(differences.Count == 0, $"{file} differs:\n{string.Join('\n', differences)}");
        Assert.Equal(found.Count, found.Distinct().Count());
    }

    static async Task<string> LineAsync(
        string[] callers, string method, string route, Func<string, Task<string>> answerOf)
    {
        var line = new StringBuilder($"{method} {route}".PadRight(54));
        foreach (var caller in callers) line.Append(' ').Append((await answerOf(caller)).PadLeft(5));
        return Spaced(line.ToString());
    }

    // The name of a scope may be that of a role.
    static string RoleKey(string role) => $"role {role}";

    static string[] Lines(string file) =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, file))
            .Where(line => line.Length > 0 && line[0] is not ('#' or ' ')).Select(Spaced),
    ];

    static string Spaced(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    static IEnumerable<(string Method, string Route)> Operations(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        where operation.Key is "get" or "put" or "post" or "patch" or "delete"
        select (operation.Key.ToUpperInvariant(), path.Key);

    // Routes of the console: pages and forms are open and look at the visitor's cookie; the others name a scope.
    static IEnumerable<(string Method, string Route)> Routes(bool isPage)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.Services.AddLogging();
        builder.WebHost.UseKestrelCore();
        using var app = builder.Build();
        new ConsoleSite().Map(app, new SiteContext(
            new ConfigurationBuilder().Build(), ServiceNames.All, () => new Uri("http://localhost"),
            new VisitorSessions(
                Sealer.OfThisProcess(), _ => null, takesKeys: true, [], new EndedSessions(null!, null!), TimeSpan.FromHours(1)),
            TimeProvider.System, NullLoggerFactory.Instance));
        return
        [
            .. from source in ((IEndpointRouteBuilder)app).DataSources
               from endpoint in source.Endpoints.OfType<RouteEndpoint>()
               where endpoint.Metadata.GetMetadata<Access>() is { NeedsKey: false } == isPage
               from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
               select (method, endpoint.RoutePattern.RawText!),
        ];
    }

    Task<string> CallAsync(string method, string route, string? key) => SendAsync(host.Client, method, route, key);

    async Task<string> VisitAsync(string method, string route, string? key, ConsoleVisitor visitor)
    {
        if (route == "/login" && method == "POST")
        {
            using var attempt = await ConsoleVisitor.SignInAsync(host.Url, key ?? "");
            return $"{attempt.SignedIn}";
        }
        return method == "GET"
            ? await SendAsync(visitor.Client, method, route, key: null)
            : Cell(await visitor.SubmitAsync(PathOf(route), ("reason", "a test")));
    }

    async Task<string> SendAsync(HttpClient client, string method, string route, string? key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), PathOf(route));
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (method is "POST" or "PUT" or "PATCH")
            request.Content = new StringContent(
                Bodies.GetValueOrDefault(route, "{}"), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return Cell(response.StatusCode, response.Headers.Location?.OriginalString);
    }

    string PathOf(string route)
    {
        if (route == "/live") return "/live?at=/orders";
        return string.Join(
            '/', route.Split('/').Select(part => part is ['{', .. var name, '}'] ? ValueOf(route, name) : part));
    }

    string ValueOf(string route, string parameter) =>
        Values.FirstOrDefault(pair => pair.Key.Contains('/') && route.StartsWith(pair.Key, StringComparison.Ordinal)).Value
        ?? Values.GetValueOrDefault(parameter)
        ?? (parameter != "fulfilmentId" && OfOrder.Any(start => route.StartsWith(start, StringComparison.Ordinal))
            ? order : Guid.Empty.ToString());

    static string Cell(HttpAnswer answer) => Cell((HttpStatusCode)answer.Status, answer.Headers.GetValueOrDefault("Location"));

    static string Cell(HttpStatusCode status, string? location) =>
        location?.StartsWith("/login", StringComparison.Ordinal) == true ? "login" : $"{(int)status}";

    string Add(string name, params string[] scopes) => KeyFile.Add(FileOfKeys, name, scopes, DateTimeOffset.UtcNow);

    static (string, string) Bearer(string token) => ("Authorization", $"Bearer {token}");
}
