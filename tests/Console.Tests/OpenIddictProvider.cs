using System.Collections.Immutable;
using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Orderwright.ConsoleTests;

/// <summary>Identity provider written by others, OpenIddict, in this process. Nobody is asked a question.</summary>
public sealed class OpenIddictProvider : IIdentityProvider
{
    const string Secret = "kept between the two";

    readonly WebApplication web;

    OpenIddictProvider(WebApplication web, string url) => (this.web, Url) = (web, url);

    public string Url { get; }

    public static async Task<OpenIddictProvider> StartAsync(int port)
    {
        var url = $"http://127.0.0.1:{port}/";
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Services.AddAuthentication();
        builder.Services.AddOpenIddict().AddServer(server =>
        {
            server.SetIssuer(url).SetAuthorizationEndpointUris("connect/authorize").SetTokenEndpointUris("connect/token");
            server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange().AllowClientCredentialsFlow();
            server.AddEphemeralEncryptionKey().AddEphemeralSigningKey().DisableAccessTokenEncryption();
            server.RegisterScopes("profile", "orders");
            server.EnableDegradedMode();
            server.UseAspNetCore().DisableTransportSecurityRequirement();
            server.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.ClientId != "console" || context.RedirectUri?.EndsWith("/sign-on/login/callback") != true)
                    context.Reject(Errors.InvalidClient);
                return default;
            }));
            server.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.ClientSecret != Secret) context.Reject(Errors.InvalidClient);
                return default;
            }));
            server.AddEventHandler<HandleAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                context.SignIn(PrincipalOf("ann", context.Request.GetScopes()));
                return default;
            }));
            server.AddEventHandler<HandleTokenRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.Request.IsClientCredentialsGrantType())
                    context.SignIn(PrincipalOf("robot", context.Request.GetScopes()));
                return default;
            }));
        });
        var web = builder.Build();
        web.UseAuthentication();
        await web.StartAsync();
        // The first request creates the keys.
        using var http = new HttpClient();
        await http.GetStringAsync(new Uri($"{url}.well-known/openid-configuration"));
        await http.GetStringAsync(new Uri($"{url}.well-known/jwks"));
        return new(web, url);
    }

    public string Settings => $$"""
        {"issuers":[{"name":"login","issuer":"{{Url}}","audience":"orderwright","grantsClaim":"roles","channels":{"*":["*"]},
          "grants":{"team":["operator","orders","stock","customers","credit","payments"]},
          "signOn":{"clientId":"console","clientSecret":"{{Secret}}","label":"OpenIddict"} }]}
        """;

    public Task SignInAsync(Microsoft.Playwright.IPage page) => Task.CompletedTask;

    /// <summary>Access token of a program.</summary>
    public async Task<string> TokenAsync()
    {
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials", ["client_id"] = "robot", ["client_secret"] = Secret, ["scope"] = "orders",
        });
        using var response = await http.PostAsync(new Uri($"{Url}connect/token"), form);
        var body = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        return (string)body["access_token"]!;
    }

    public async ValueTask DisposeAsync() => await web.DisposeAsync();

    static ClaimsPrincipal PrincipalOf(string subject, IEnumerable<string> scopes)
    {
        var identity = new ClaimsIdentity("test", Claims.Name, "roles");
        identity.SetClaim(Claims.Subject, subject)
            .SetClaims("roles", ImmutableArray.Create("team", "other")).SetClaims("channels", ImmutableArray.Create("*"));
        identity.SetDestinations(_ => [Destinations.AccessToken, Destinations.IdentityToken]);
        var principal = new ClaimsPrincipal(identity);
        principal.SetScopes(scopes);
        principal.SetAudiences("orderwright");
        return principal;
    }
}
