using System.Net;

namespace Orderwright.EndToEnd;

/// <summary>Visitor of the console, with the cookies of a browser; redirects are not followed.</summary>
public sealed class ConsoleVisitor : IDisposable
{
    readonly CookieContainer cookies = new();

    ConsoleVisitor(Uri url) =>
        Client = new(new SocketsHttpHandler { CookieContainer = cookies, AllowAutoRedirect = false }) { BaseAddress = url };

    public HttpClient Client { get; }

    /// <summary>Status of the sign-in: 302 for a visitor who is signed in.</summary>
    public int SignedIn { get; private set; }

    public static async Task<ConsoleVisitor> SignInAsync(Uri url, string key)
    {
        var visitor = new ConsoleVisitor(url);
        visitor.SignedIn = (await visitor.SubmitAsync("/login", ("key", key))).Status;
        return visitor;
    }

    /// <summary>A visitor with a copy of the cookies, perhaps at another instance.</summary>
    public ConsoleVisitor Copy(Uri? url = null)
    {
        var copy = new ConsoleVisitor(url ?? Client.BaseAddress!);
        foreach (Cookie cookie in cookies.GetAllCookies())
            copy.cookies.Add(new Cookie(cookie.Name, cookie.Value, "/", copy.Client.BaseAddress!.Host));
        return copy;
    }

    /// <summary>Submits a form with the token that the console's pages carry.</summary>
    public async Task<HttpAnswer> SubmitAsync(string path, params (string Name, string Value)[] fields)
    {
        if (cookies.GetCookies(Client.BaseAddress!)["orderwright_form"] is null) await Client.AskAsync("/login");
        var token = cookies.GetCookies(Client.BaseAddress!)["orderwright_form"]!.Value;
        using var form = new FormUrlEncodedContent(
            fields.Append(("token", token)).Select(field => KeyValuePair.Create(field.Item1, field.Item2)));
        return await Client.SendAsync(
            HttpMethod.Post, path, await form.ReadAsByteArrayAsync(), "application/x-www-form-urlencoded");
    }

    public void Dispose() => Client.Dispose();
}
